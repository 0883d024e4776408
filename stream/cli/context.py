"""What every command shares: where the settings are, and how a fault is said."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from stream.settings import Settings

config: Path | None = None
debug = False


def settings(**overrides: Any) -> Settings:
    """Load the settings; options given on the command line win."""
    from stream.settings import load_settings

    return load_settings(config, **overrides)


def log_to_stderr() -> None:
    """One line a record: time, level, phrase, fields."""
    handler = logging.StreamHandler()
    handler.setFormatter(_FieldFormatter("%(asctime)s %(levelname)s %(name)s %(message)s"))
    logging.basicConfig(level=logging.INFO, handlers=[handler])
    for name in ("kafka", "faust", "mode", "aiokafka"):
        logging.getLogger(name).setLevel(logging.WARNING)


class _FieldFormatter(logging.Formatter):
    """Adds the record's own fields as key=value."""

    _usual = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime"}

    def format(self, record: logging.LogRecord) -> str:
        fields = " ".join(f"{name}={value}" for name, value in vars(record).items() if name not in self._usual)
        return f"{super().format(record)} {fields}".rstrip()


def readable(error: Exception) -> str | None:
    """Return what to tell the user, or None for a fault of ours."""
    from kafka.errors import KafkaError
    from redis import RedisError

    from features.app_spec import SpecMismatch
    from features.reader import AppUnknown
    from features.store import StoreError
    from online_models.checkpoint import CheckpointRefused
    from stream.engine import Refused
    from stream.local_redis import ServerMissing
    from stream.preflight import NotReady
    from stream.settings import SettingsError
    from stream.web import WebRefused

    if isinstance(error, SettingsError):
        return f"the settings have {len(error.faults)} fault(s):\n{error}"
    if isinstance(error, NotReady):
        return f"cannot start:\n{error}"
    if isinstance(error, KafkaError):
        return f"Kafka: {error}\nIs it running, and is CHURNWATCH_KAFKA right?"
    if isinstance(error, RedisError | StoreError):
        return f"Redis: {error}\nIs it running, and is CHURNWATCH_REDIS right?"
    told = (SpecMismatch, AppUnknown, CheckpointRefused, Refused, ServerMissing, WebRefused, FileNotFoundError, UsageFault)
    return str(error) if isinstance(error, told) else None


class UsageFault(ValueError):
    """The command cannot do that; the message says what to do."""
