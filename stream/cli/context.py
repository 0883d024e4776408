"""What every command shares: where the settings are, and how a fault is said."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from stream.settings import Settings

config: Path | None = None
debug = False
supervised = False
"""Whether this is one of the long-lived commands, which a supervisor starts again unless they were refused."""


def settings(**overrides: Any) -> Settings:
    """Load the settings; options given on the command line win."""
    from stream.settings import load_settings

    return load_settings(config, **overrides)


def log_to_stderr() -> None:
    """One line a record: time, level, phrase, fields."""
    handler = logging.StreamHandler()
    handler.setFormatter(_FieldFormatter("%(asctime)s %(levelname)s %(name)s %(message)s"))
    logging.basicConfig(level=logging.INFO, handlers=[handler])
    for name in ("faust", "mode", "aiokafka"):
        logging.getLogger(name).setLevel(logging.WARNING)
    # serves the checks before the start only, which say themselves what was wrong; on its own it says every attempt four times
    logging.getLogger("kafka").setLevel(logging.CRITICAL)


class _FieldFormatter(logging.Formatter):
    """Adds the record's own fields as key=value."""

    _usual = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime"}

    def format(self, record: logging.LogRecord) -> str:
        fields = " ".join(f"{name}={value}" for name, value in vars(record).items() if name not in self._usual)
        return f"{super().format(record)} {fields}".rstrip()


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
"""What is said of each error that the user can mend; by name, so that saying it need not import all that may raise it."""


def readable(error: Exception) -> str | None:
    """Return what to tell the user, or None for a fault of ours.

    >>> from stream.faults import UsageFault
    >>> readable(UsageFault("say either this or that"))
    'say either this or that'
    """
    form = _form(error)
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
