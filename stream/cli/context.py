"""What every command shares: where the settings are, and how a fault is said."""

from __future__ import annotations

import logging
import traceback
from pathlib import Path
from typing import TYPE_CHECKING, Any

from stream.shown import visible

if TYPE_CHECKING:
    from stream.settings import Settings

config: Path | None = None
debug = False
supervised = False
"""Whether this is one of the long-lived commands, which a supervisor starts again unless they were refused."""


def settings(**overrides: Any) -> Settings:
    """Load the settings; options of the command line win over file and environment."""
    from stream.settings import load_settings

    found = load_settings(config, **overrides)
    _refuse_useless_certificates(found)
    return found


def _refuse_useless_certificates(found: Settings) -> None:
    """Look at the files of TLS before anything connects; without any this costs nothing."""
    sections = [section for section in ("kafka", "redis") if found[f"{section}.ca_file"] or found[f"{section}.cert_file"]]
    if not sections:
        return
    from stream.kafka.tls import file_faults
    from stream.settings import SettingsError

    names = ("ca_file", "cert_file", "key_file", "key_password")
    faults = [fault for section in sections for fault in file_faults(section, *(found[f"{section}.{name}"] for name in names))]
    if faults:
        raise SettingsError(faults)


def log_to_stderr() -> None:
    """Log to standard error: one line for each record, with time, level, phrase and fields."""
    handler = logging.StreamHandler()
    handler.setFormatter(FieldFormatter("%(asctime)s %(levelname)s %(name)s %(message)s"))
    logging.basicConfig(level=logging.INFO, handlers=[handler])
    for name in ("faust", "mode", "aiokafka"):
        logging.getLogger(name).setLevel(logging.WARNING)
    # kafka-python only makes the checks before the start, and these say what was wrong; left alone it would log every attempt four times
    logging.getLogger("kafka").setLevel(logging.CRITICAL)


class FieldFormatter(logging.Formatter):
    r"""One line for each record: the phrase, then the record's own fields as name=value.

    No phrase and no field can begin a line of its own, and the lines of a stack are indented, so whatever begins a line is a record of ours.

    >>> record = logging.makeLogRecord({"msg": "shard lost", "partition": 3, "why": "a\n2026-01-01 ERROR"})
    >>> FieldFormatter("%(message)s").format(record)
    'shard lost partition=3 why=a\\x0a2026-01-01 ERROR'
    """

    _usual = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - logging's name
        """See `logging.Formatter`."""
        fields = " ".join(f"{name}={value}" for name, value in vars(record).items() if name not in self._usual)
        return visible(f"{super().formatMessage(record)} {fields}".rstrip())

    def formatException(self, ei: Any) -> str:  # noqa: N802 - logging's name
        """Return the stacks of an error and of its causes, indented."""
        error: BaseException | None = ei[1]
        lines: list[str] = []
        while error is not None:
            frames = [line for frame in traceback.format_tb(error.__traceback__) for line in frame.splitlines()]
            lines = [*frames, _named(error), *lines]
            error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
        return "\n".join(f"  {visible(line)}" for line in lines)


QUOTABLE = frozenset({"features", "online_models", "stream", "redis", "kafka", "aiokafka", "cimpl"})
"""Packages whose errors speak of servers, shards and settings, never of what an event holds."""


def _named(error: BaseException) -> str:
    """Name an error. One of Python's own or of a decoder may quote an id or a payload, so what it says is logged with --debug only.

    >>> from stream.faults import UsageFault
    >>> _named(UsageFault("say either")), _named(KeyError("ann"))
    ('UsageFault: say either', 'KeyError (--debug says the rest)')
    """
    kind = type(error)
    if debug or kind.__module__.partition(".")[0] in QUOTABLE or isinstance(error, OSError):
        return f"{kind.__qualname__}: {error}"
    return f"{kind.__qualname__} (--debug says the rest)"


KAFKA = "Kafka: {0}\nIs it running, and is CHURNWATCH_KAFKA right?"
REDIS = "Redis: {0}\nIs it running, and is CHURNWATCH_REDIS right?"
TOLD = {
    "stream.settings.SettingsError": "the settings have {0.count} fault(s):\n{0}",
    "stream.processes.preflight.NotReady": "cannot start:\n{0}",
    "kafka.errors.KafkaError": KAFKA,
    "cimpl.KafkaException": KAFKA,
    "redis.exceptions.RedisError": REDIS,
    "features.store.contract.StoreError": REDIS,
    "features.store.app_spec.SpecMismatch": "{0}",
    "features.store.app_spec.NewerStorage": "{0}",
    "features.store.app_spec.OtherFeatures": "{0}",
    "features.reader.AppUnknown": "{0}",
    "features.users.state.LayoutError": "{0}",
    "online_models.checkpoint.CheckpointRefused": "{0}",
    "stream.faults.Refused": "{0}",
    "stream.faults.ServerMissing": "{0}",
    "stream.faults.WebRefused": "{0}",
    "stream.faults.UsageFault": "{0}",
    "builtins.FileNotFoundError": "{0}",
}
"""What is said of each error that whoever runs the command can mend. Errors stand here by name, so that this file need not import all that may raise them."""


def readable(error: Exception) -> str | None:
    """Return what to say of an error, or None for a bug of ours.

    >>> from stream.faults import UsageFault
    >>> readable(UsageFault("say either this or that"))
    'say either this or that'
    """
    form = _form(error)
    if form is REDIS:
        from stream.kafka.tls import in_words, names_of

        if (words := in_words(error, names_of("redis"))) is not None:
            return f"Redis cannot be reached by TLS: {words}"
    return None if form is None else form.format(error)


def exit_code(error: Exception) -> int:
    """Return the exit code for an error that is told: 70 when a later start may succeed since a server was away, 2 when a person is needed.

    >>> exit_code(ValueError("negative"))
    2
    """
    away = getattr(error, "away", _form(error) in {KAFKA, REDIS})
    return 70 if supervised and away else 2


def _form(error: Exception) -> str | None:
    names = (f"{kind.__module__}.{kind.__qualname__}" for kind in type(error).__mro__)
    return next((TOLD[name] for name in names if name in TOLD), None)
