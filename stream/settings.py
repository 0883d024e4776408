"""All settings: one table, read from `churnwatch.toml` and the environment, judged as a whole before anything starts.

Errors::

    SettingsError    every fault at once, each with what to do
"""

from __future__ import annotations

import difflib
import ipaddress
import os
import re
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal
from urllib.parse import parse_qs, unquote, urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from features.definitions.definition import DAY_MS, MAX_DEFINITIONS, ChurnDefinition
from features.definitions.names import checked_name
from features.definitions.rules import MAX_NOT_USERS, Rules
from features.users.segment import segment_of
from features.users.spec import CHANNEL_SLOTS, FUNNEL_STEPS, KEY_SLOTS, FeatureSpec
from online_models.catalog import LIVE
from online_models.catalog import NAMES as MODELS
from stream.alerts.policy import PolicySettings

DEFAULT_FILE = "churnwatch.toml"
MAX_WAIT_MS = 62 * DAY_MS
_DURATION = re.compile(r"^(\d+(?:\.\d+)?)\s*(ms|s|m|h|d)$")
_UNITS_MS = {"ms": 1, "s": 1_000, "m": 60_000, "h": 3_600_000, "d": DAY_MS}
_ADDRESS = re.compile(r"^(\[[0-9a-fA-F:]+\]|[^\s:/@\[\],]+):\d{1,5}$")
_PAGE_URL = re.compile(r"^https?://(\[[0-9a-fA-F:]+\]|[A-Za-z0-9.-]+)(:\d{1,5})?/?$")
_CURRENCY = re.compile(r"^[A-Z]{3}$")
_REDIS_URL = re.compile(r"^(unix://\S+|rediss?://([^\s/?#]*@)?(\[[0-9a-fA-F:]+\]|[^\s:/?#@\[\]]+)(:\d{1,5})?(/\d*)?(\?\S*)?)$")

Kind = Literal["text", "secret", "int", "share", "duration", "names", "flag", "time"]


class SettingsError(ValueError):
    """Everything that is wrong with the settings.

    Attributes
    ----------
    faults : list of str
        What is wrong, one sentence each.
    """

    def __init__(self, faults: list[str]) -> None:
        super().__init__("\n".join(f"- {fault}" for fault in faults))
        self.faults, self.count = faults, len(faults)


@dataclass(frozen=True, slots=True)
class Setting:
    """One row of the table; `env` names the variable that overrides the file."""

    name: str
    kind: Kind
    default: Any
    help: str
    env: str | None = None
    low: float = 0
    high: float = float("inf")


PROTOCOLS = ("PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL")
SASL_MECHANISMS = ("PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512", "OAUTHBEARER")


def _secured(section: str, whose: str) -> tuple[Setting, ...]:
    env = f"CHURNWATCH_{section.upper()}"
    return (
        Setting(
            f"{section}.ca_file",
            "text",
            "",
            f"PEM file of the CA that signed {whose} certificate; empty: the system's CAs",
            f"{env}_CA_FILE",
        ),
        Setting(f"{section}.cert_file", "text", "", "PEM file of our client certificate, where one is asked for", f"{env}_CERT_FILE"),
        Setting(f"{section}.key_file", "text", "", "PEM file of its key; empty: it is in cert_file", f"{env}_KEY_FILE"),
        Setting(f"{section}.key_password", "secret", "", "password of the key", f"{env}_KEY_PASSWORD"),
    )


SETTINGS: tuple[Setting, ...] = (
    Setting("app.name", "text", "churnwatch", "names this deployment; part of every Redis key and transactional id", "CHURNWATCH_APP"),
    Setting("app.group", "text", "", "Kafka consumer group of the workers; empty: the app's name"),
    Setting("kafka.bootstrap", "text", "127.0.0.1:9092", "Kafka address, host:port, several with commas", "CHURNWATCH_KAFKA"),
    Setting("kafka.topic_prefix", "text", "", "put before every topic name", "CHURNWATCH_TOPIC_PREFIX"),
    Setting("kafka.clicks", "text", "", "name of the clicks topic when it is not prefix + clicks", "CHURNWATCH_CLICKS"),
    Setting("kafka.partitions", "int", 4, "partitions of clicks, for `topics create`", low=1, high=10_000),
    Setting("kafka.replication", "int", -1, "copies of each topic, for `topics create`; -1: the broker's default", low=-1, high=32),
    *_secured("kafka", "the brokers'"),
    Setting(
        "kafka.security_protocol",
        "text",
        "PLAINTEXT",
        "PLAINTEXT, SSL, SASL_PLAINTEXT or SASL_SSL",
        "CHURNWATCH_KAFKA_SECURITY_PROTOCOL",
    ),
    Setting("kafka.sasl_mechanism", "text", "", f"with SASL: {', '.join(SASL_MECHANISMS)}", "CHURNWATCH_KAFKA_SASL_MECHANISM"),
    Setting("kafka.user", "text", "", "user of PLAIN and SCRAM", "CHURNWATCH_KAFKA_USER"),
    Setting("kafka.password", "secret", "", "password of PLAIN and SCRAM", "CHURNWATCH_KAFKA_PASSWORD"),
    Setting("kafka.token_file", "text", "", "file with the token of OAUTHBEARER, read again before it ends", "CHURNWATCH_KAFKA_TOKEN_FILE"),
    Setting("kafka.token_command", "text", "", "command that prints the token, run again before it ends", "CHURNWATCH_KAFKA_TOKEN_COMMAND"),
    Setting("redis.url", "secret", "redis://127.0.0.1:6379", "Redis address; rediss:// for TLS", "CHURNWATCH_REDIS"),
    *_secured("redis", "the server's"),
    Setting(
        "features.key_events",
        "names",
        (),
        f"event types with features of their own, at most {KEY_SLOTS}; empty: chosen from the first 10,000 events",
    ),
    Setting("features.revenue_events", "names", ("purchase",), "event types whose value is money"),
    Setting("features.error_events", "names", ("error",), "event types that are a failure for the user"),
    Setting("features.funnel", "names", (), f"event types of the funnel, in order, at most {FUNNEL_STEPS}"),
    Setting("features.channels", "names", (), f"known acquisition channels, at most {CHANNEL_SLOTS}"),
    Setting("features.strict_types", "names", (), "when given, any other event type is rejected; may be changed at any start"),
    Setting(
        "features.not_users",
        "names",
        (),
        f'ids that are no user, such as "anonymous": their events are rejected, at most {MAX_NOT_USERS}; may be changed at any start',
    ),
    Setting("features.oldest", "time", "2000-01-01", "an event before this time (UTC) is rejected; may be changed at any start"),
    Setting("features.timezone", "text", "UTC", "IANA zone of calendar days and hours"),
    Setting("features.lateness", "duration", "1h", "events this much out of order are still counted in full"),
    Setting("features.session_gap", "duration", "30m", "a silence this long ends a session", low=1_000),
    Setting("features.rescore", "duration", "1h", "a click renews a risk older than this", low=1_000),
    Setting("alerts.threshold", "share", 0.7, "least calibrated risk that opens an alert", high=1),
    Setting("alerts.cooldown", "duration", "14d", "least time between two alerts of one user"),
    Setting("alerts.daily_cap", "int", 10_000, "most alerts a shard opens in a day of event time", low=0),
    Setting("alerts.max_age", "duration", "1d", "no alert for a landmark that lies further back than this"),
    Setting("alerts.backfill", "flag", False, "alerts for the past too (tests, demos)"),
    Setting("time.ticks", "flag", True, "let time go on when nobody clicks; off for old logs"),
    Setting("time.tick_interval", "duration", "10s", "idle time before a tick", low=100),
    Setting(
        "time.tick_max_behind",
        "duration",
        "1h",
        "no tick while the newest event is further behind the broker's stamp than this: an old log is being loaded",
    ),
    Setting("time.max_idle_hold", "duration", "30m", "how long time may stand still while all of intake is silent"),
    Setting("worker.batch", "int", 5_000, "most records of one batch", low=1, high=100_000),
    Setting("worker.cache_users", "int", 262_144, "users per shard kept in memory", low=1_000),
    Setting("worker.mirror", "text", "none", "whose named features are also kept as a Redis hash: none, alerted or all"),
    Setting("worker.web", "text", "127.0.0.1:6066", "address of /metrics, /live and /ready; empty: none", "CHURNWATCH_WEB"),
    Setting("worker.web_token", "secret", "", "asked for when the web address is not loopback", "CHURNWATCH_WEB_TOKEN"),
    Setting("page.address", "text", "127.0.0.1:6080", "address of `churnwatch web`", "CHURNWATCH_PAGE"),
    Setting(
        "page.store",
        "secret",
        "sqlite:///churnwatch-page.db",
        "database of the page: a SQLite file, or postgresql://user:password@host/name",
        "CHURNWATCH_PAGE_STORE",
    ),
    Setting("page.currency", "text", "USD", "ISO 4217 code of the money in event values"),
    Setting(
        "page.url", "text", "", "https address under which people reach the page, when it stands behind a proxy", "CHURNWATCH_PAGE_URL"
    ),
    Setting(
        "page.proxies",
        "names",
        (),
        "addresses or networks of the proxies before the page, whose X-Forwarded-For is believed; empty: nobody's",
    ),
    Setting("page.session_idle", "duration", "12h", "somebody who does nothing for so long signs in again", low=60_000),
    Setting("page.session_life", "duration", "7d", "everybody signs in again after so long", low=60_000),
    Setting(
        "page.oidc_issuer",
        "text",
        "",
        "address of the OpenID Connect provider by which people sign in, as it calls itself; empty: none",
        "CHURNWATCH_OIDC_ISSUER",
    ),
    Setting("page.oidc_client_id", "text", "", "what the provider calls the page", "CHURNWATCH_OIDC_CLIENT_ID"),
    Setting(
        "page.oidc_client_secret",
        "secret",
        "",
        "the page's secret at the provider; empty: a public client",
        "CHURNWATCH_OIDC_CLIENT_SECRET",
    ),
    Setting("page.oidc_scopes", "names", ("openid", "profile", "email"), "scopes that the provider is asked for"),
    Setting("page.oidc_claim", "text", "groups", "claim whose value, or one of whose values, gives somebody their role"),
    Setting("page.oidc_viewers", "names", (), 'its values for role viewer; "*": everybody whom the provider lets in'),
    Setting("page.oidc_analysts", "names", (), "its values for role analyst"),
    Setting("page.oidc_admins", "names", (), "its values for role admin"),
    Setting(
        "learning.key",
        "secret",
        "",
        "signs models in the registry, the same for workers and trainer; needed unless Redis is on this machine (`churnwatch config key` makes one)",
        "CHURNWATCH_MODEL_KEY",
    ),
    Setting("learning.min_labels", "int", 200, "labels of each class before a model may replace the rule", low=1),
    Setting("learning.models", "names", LIVE, f"models that compete, of: {', '.join(MODELS)}"),
    Setting("learning.wanted", "text", "", "the model that serves once it can; empty: the best by calibrated log-loss"),
    Setting("learning.window", "int", 1_500, "newest matured labels over which models are compared", low=100, high=1_000_000),
    Setting("learning.batch", "int", 256, "examples of one learning step", low=1, high=100_000),
)
PLACEHOLDERS = frozenset({"change-me", "change_me", "changeme"})
"""Words that stand in examples for a secret of one's own. Everybody knows them, so none of them is a secret."""
_BY_NAME = {setting.name: setting for setting in SETTINGS}
_DEFINITION_KEYS = ("name", "kind", "active_window", "horizon", "activity", "target", "segment")


def duration_ms(text: object) -> int:
    """Read a duration such as "30m"; return it in milliseconds. Raises ValueError for any other text.

    >>> duration_ms("14d") // DAY_MS, duration_ms("50ms"), duration_ms("1.5h") // 60_000
    (14, 50, 90)
    """
    match = _DURATION.match(text) if isinstance(text, str) else None
    if match is None:
        raise ValueError(f'must be a duration such as "14d", "30m" or "50ms", got {text!r}')
    return round(float(match[1]) * _UNITS_MS[match[2]])


def duration_text(ms: int) -> str:
    """Write a duration as the settings file has it, in the largest unit of which it is a whole number.

    >>> duration_text(14 * DAY_MS), duration_text(90 * 60_000), duration_text(50), duration_text(0)
    ('14d', '90m', '50ms', '0s')
    """
    if not ms:
        return "0s"
    unit = next(unit for unit, size in reversed(_UNITS_MS.items()) if ms % size == 0)
    return f"{ms // _UNITS_MS[unit]}{unit}"


def _read(setting: Setting, value: object) -> Any:
    readers: dict[Kind, Callable[[object], Any]] = {
        "text": _text, "secret": _text, "int": _int, "share": _number, "duration": duration_ms, "names": _names, "flag": _flag,
        "time": _time
    }  # fmt: skip
    read = readers[setting.kind](value)
    if setting.kind in {"int", "share", "duration"} and not setting.low <= read <= setting.high:
        raise ValueError(f"must be between {setting.low:g} and {setting.high:g}, got {value}")
    return read


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise ValueError(f"must be text, got {value!r}")
    return value


def _int(value: object) -> int:
    if isinstance(value, str) and value.isdigit():
        return int(value)
    if not isinstance(value, int) or isinstance(value, bool):
        raise ValueError(f"must be a whole number, got {value!r}")
    return value


def _number(value: object) -> float:
    try:
        return float(value)  # type: ignore[arg-type]  # anything that is no number raises
    except (TypeError, ValueError):
        raise ValueError(f"must be a number, got {value!r}") from None


def _names(value: object) -> tuple[str, ...]:
    if not isinstance(value, (list, tuple)) or not all(isinstance(one, str) and one for one in value):
        raise ValueError(f'must be a list of names such as ["click", "purchase"], got {value!r}')
    return tuple(value)


def _time(value: object) -> int:
    """Return milliseconds since the epoch for a date, or a time with its zone: as text, or as the values that TOML has for both."""
    text = value.isoformat() if isinstance(value, date) else str(value)
    try:
        at = datetime.fromisoformat(f"{text}T00:00:00+00:00" if re.fullmatch(r"\d{4}-\d\d-\d\d", text) else text)
        at_ms = (at - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(milliseconds=1)
    except (ValueError, TypeError):  # TypeError: no zone
        at_ms = -1
    if at_ms < 0:
        raise ValueError(
            f'must be a date or a time with its zone, from 1970 on, such as "2000-01-01" or "2000-01-01T00:00:00Z", got {value!r}'
        )
    return at_ms


def _flag(value: object) -> bool:
    if isinstance(value, bool):
        return value
    if value in {"true", "false"}:
        return value == "true"
    raise ValueError(f"must be true or false, got {value!r}")


@dataclass(frozen=True, slots=True)
class Settings:
    """Validated settings; `settings["kafka.bootstrap"]`. Secrets are masked when printed."""

    values: Mapping[str, Any]
    definitions: tuple[ChurnDefinition, ...]

    def __getitem__(self, name: str) -> Any:
        return self.values[name]

    def __repr__(self) -> str:
        return f"Settings({self.masked()!r}, {[definition.name for definition in self.definitions]})"

    def masked(self) -> dict[str, Any]:
        """Return the values with every secret hidden."""
        return {name: "***" if _BY_NAME[name].kind == "secret" and value else value for name, value in self.values.items()}

    def with_group(self, group: str) -> Settings:
        """Return these settings with the consumer group that was settled at the start."""
        return replace(self, values=MappingProxyType({**self.values, "app.group": group}))

    def spec(self, key_events: tuple[str, ...] | None = None) -> FeatureSpec:
        """Return the feature spec; `key_events` are those that were chosen, for settings that configure none."""
        return FeatureSpec(
            key_events=self["features.key_events"] or key_events or (),
            revenue_events=self["features.revenue_events"],
            error_events=self["features.error_events"],
            funnel=self["features.funnel"],
            channels=self["features.channels"],
            timezone=self["features.timezone"],
            lateness_ms=self["features.lateness"],
            session_gap_ms=self["features.session_gap"],
            rescore_ms=self["features.rescore"],
            definitions=self.definitions,
        )

    def rules(self) -> Rules:
        """Return the rules by which events are rejected."""
        return Rules(
            strict_types=self["features.strict_types"] or None,
            not_users=self["features.not_users"],
            oldest_ms=self["features.oldest"],
        )

    def policy(self) -> PolicySettings:
        """Return the alert policy."""
        return PolicySettings(
            threshold=self["alerts.threshold"],
            cooldown_ms=self["alerts.cooldown"],
            daily_cap=self["alerts.daily_cap"],
            alert_max_age_ms=None if self["alerts.backfill"] else self["alerts.max_age"],
        )


def load_settings(path: Path | None = None, environment: Mapping[str, str] | None = None, **overrides: Any) -> Settings:
    """Read the settings file, override it by the environment and the options, and judge everything together.

    Parameters
    ----------
    path : Path, optional
        Default: the file that CHURNWATCH_CONFIG names, else `churnwatch.toml` in the working directory; without a file every setting has its default.
    overrides : values by name with "__" for the dot
        Command-line options; they win over everything else.

    Raises
    ------
    SettingsError
        With every fault.
    """
    environment = os.environ if environment is None else environment
    faults: list[str] = []
    raw, definitions_raw = _file_values(path, environment, faults)
    values: dict[str, Any] = {}
    for setting in SETTINGS:
        source, value = setting.name, raw.pop(setting.name, setting.default)
        if setting.kind == "secret" and (file := raw.pop(f"{setting.name}_file", None)) is not None:
            source, value = f"{setting.name}_file", _from_file(f"{setting.name}_file", file, faults) or setting.default
        if setting.env and (text := _from_environment(setting.env, environment, faults)) is not None:
            source, value = setting.env, text
        override = overrides.pop(setting.name.replace(".", "__"), None)
        if override is not None:
            source, value = setting.name, override
        try:
            values[setting.name] = _read(setting, value)
        except ValueError as error:
            faults.append(f"{source}: {error}")
            values[setting.name] = _read(setting, setting.default)
    for name in (*raw, *(name.replace("__", ".") for name in overrides)):
        faults.append(f"{name}: unknown setting{nearest(name, list(_BY_NAME))}")
    definitions = tuple(filter(None, (_definition(index, one, faults) for index, one in enumerate(definitions_raw)))) or (
        ChurnDefinition(),
    )
    _judge_together(values, definitions, faults)
    _judge_secrets(values, faults)
    _judge_kafka(values, faults)
    _judge_page(values, faults)
    if faults:
        raise SettingsError(faults)
    values["redis.url"] = _redis_url(values)
    return Settings(MappingProxyType(values), definitions)


def example_toml() -> str:
    """Return a settings file in which every setting stands as a comment, with its default."""
    lines, section = ["# churnwatch.toml: every setting with its default; durations are 500ms, 30s, 5m, 1h, 14d"], ""
    for setting in SETTINGS:
        if setting.kind == "secret":
            continue
        here, name = setting.name.split(".")
        if here != section:
            section = here
            lines += ["", f"[{section}]"]
        lines += [f"# {setting.help}" + (f" (or {setting.env})" if setting.env else ""), f"# {name} = {_toml(setting.default)}"]
    lines += [
        "",
        "# What churned means; several may stand side by side.",
        "# [[definitions]]",
        '# name = "churn14"',
        '# kind = "inactivity"          # or "did_event" with target = ["cancel"], or "external": labels come on the topic labels',
        '# active_window = "14d"',
        '# horizon = "14d"',
        "# activity = []                # event types that count; empty: all",
        '# segment = []                 # only who meets these at a landmark: ["purchases >= 1", "channel = ads"] (docs/features.md); `config check` says the exact borders',
    ]
    secrets = ", ".join(str(setting.env) for setting in SETTINGS if setting.kind == "secret")
    return (
        "\n".join(
            [
                *lines,
                "",
                f"# Secrets come from the environment, or from the file in NAME_FILE: {secrets}.",
                "# Here too a file may be named: learning.key_file, redis.url_file and so on.",
            ]
        )
        + "\n"
    )


def _toml(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, tuple):
        return "[" + ", ".join(f'"{one}"' for one in value) + "]"
    return f'"{value}"' if isinstance(value, str) else str(value)


def _file_values(path: Path | None, environment: Mapping[str, str], faults: list[str]) -> tuple[dict[str, Any], list[Any]]:
    named = path or (Path(environment["CHURNWATCH_CONFIG"]) if environment.get("CHURNWATCH_CONFIG") else None)
    file = named or Path(DEFAULT_FILE)
    if not file.exists():
        if named:
            faults.append(f"{file}: no such file")
        return {}, []
    try:
        tree = tomllib.loads(file.read_text())
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        faults.append(f"{file}: not TOML: {error}")
        return {}, []
    definitions = tree.pop("definitions", [])
    values: dict[str, Any] = {}
    for section, content in tree.items():
        if isinstance(content, dict):
            values.update({f"{section}.{name}": value for name, value in content.items()})
        else:
            values[section] = content
    return values, definitions if isinstance(definitions, list) else [definitions]


def _from_environment(name: str, environment: Mapping[str, str], faults: list[str]) -> str | None:
    """Return the value of NAME, or the content of the file that NAME_FILE names; None where neither is set."""
    if environment.get(f"{name}_FILE"):
        return _from_file(f"{name}_FILE", environment[f"{name}_FILE"], faults)
    return environment.get(name)


def _from_file(name: str, file: object, faults: list[str]) -> str | None:
    """Return the content of a file with one secret in it; None, and a fault, where that fails."""
    try:
        if content := Path(_text(file)).read_text().strip():
            return content
        faults.append(f"{name}: the file is empty")
    except OSError as error:
        faults.append(f"{name}: {error.strerror}")
    except ValueError:  # no text, or not the name of a file
        faults.append(f"{name}: must be the path of a text file")
    return None


def is_loopback(host: str) -> bool:
    """Whether a host is this machine only.

    >>> is_loopback("127.0.0.1"), is_loopback("[::1]"), is_loopback("localhost"), is_loopback("0.0.0.0")
    (True, True, True, False)
    """
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host == "localhost"


def nearest(name: str, known: list[str]) -> str:
    """Return a question that names the nearest known name; empty when none is near.

    >>> nearest("logistc", ["logistic", "tree"])
    ', did you mean logistic?'
    """
    near = difflib.get_close_matches(name, known, 1, 0.4)
    return f", did you mean {near[0]}?" if near else ""


def _definition(index: int, raw: object, faults: list[str]) -> ChurnDefinition | None:
    where = f"definitions[{index}]"
    if not isinstance(raw, dict):
        faults.append(f"{where}: must be a table, [[definitions]]")
        return None
    for name in raw:
        if name not in _DEFINITION_KEYS:
            faults.append(f"{where}.{name}: unknown setting{nearest(name, list(_DEFINITION_KEYS))}")
    try:
        definition = ChurnDefinition(
            name=_text(raw.get("name", "churn14")),
            kind=raw.get("kind", "inactivity"),
            active_window_ms=duration_ms(raw.get("active_window", "14d")),
            horizon_ms=duration_ms(raw.get("horizon", "14d")),
            activity=_names(raw.get("activity", ())),
            target=_names(raw.get("target", ())),
            segment=_names(raw.get("segment", ())),
        )
    except ValueError as error:
        faults.append(f"{where}: {error}")
        return None
    _judge_name(f"{where}.name", definition.name, faults)
    if definition.kind not in {"inactivity", "did_event", "external"}:
        faults.append(f'{where}.kind: "inactivity", "did_event" or "external", got {definition.kind!r}')
    if definition.kind == "did_event" and not definition.target:
        faults.append(f"{where}.target: a did_event definition needs the event types that mean churn")
    if definition.active_window_ms <= 0 or definition.horizon_ms < DAY_MS:
        faults.append(f"{where}: active_window must be positive and horizon at least 1d")
    return definition


def _judge_together(values: dict[str, Any], definitions: tuple[ChurnDefinition, ...], faults: list[str]) -> None:
    for name, most in (
        ("features.key_events", KEY_SLOTS),
        ("features.funnel", FUNNEL_STEPS),
        ("features.channels", CHANNEL_SLOTS),
        ("features.not_users", MAX_NOT_USERS),
    ):
        if len(values[name]) > most:
            faults.append(f"{name}: at most {most}, got {len(values[name])}")
    try:
        ZoneInfo(values["features.timezone"])
    except (ZoneInfoNotFoundError, ValueError):
        faults.append(f"features.timezone: no zone {values['features.timezone']!r}; IANA names look like Europe/Berlin")
    if values["worker.mirror"] not in {"none", "alerted", "all"}:
        faults.append(f"worker.mirror: none, alerted or all, got {values['worker.mirror']!r}")
    for name in (*values["learning.models"], *filter(None, [values["learning.wanted"]])):
        if name not in MODELS:
            faults.append(f"learning: no model {name!r}{nearest(name, list(MODELS))}; there are {', '.join(MODELS)}")
    _judge_addresses(values, faults)
    _judge_name("app.name", values["app.name"], faults)
    names = [definition.name for definition in definitions]
    if len(set(names)) < len(names):
        faults.append("definitions: two have the same name")
    if len(names) > MAX_DEFINITIONS:
        faults.append(f"definitions: at most {MAX_DEFINITIONS}, got {len(names)}")
    for definition in definitions:
        try:
            segment_of(definition.segment, values["features.channels"])
        except ValueError as error:
            faults.append(f"definitions {definition.name}: segment {error}")
        if definition.horizon_ms + values["features.lateness"] > MAX_WAIT_MS:
            faults.append(f"definitions {definition.name}: horizon + lateness must stay below 62d, the bitmap of landmarks holds 64 days")


def _judge_name(setting: str, name: str, faults: list[str]) -> None:
    try:
        checked_name(setting, name)
    except ValueError as error:
        faults.append(str(error))


def _judge_page(values: dict[str, Any], faults: list[str]) -> None:
    if not _ADDRESS.match(values["page.address"]):
        faults.append(f"page.address: must be host:port, got {values['page.address']!r}")
    url = values["page.url"]
    if url and not _PAGE_URL.match(url):
        faults.append(f'page.url: must be an address without a path, such as "https://churn.example", got {url!r}')
    elif url and not _is_safe(url):
        faults.append("page.url: sign-in must not be read on the way, so begin it with https:// (http:// is for loopback only)")
    for one in values["page.proxies"]:
        try:
            ipaddress.ip_network(one)
        except ValueError:
            faults.append(f'page.proxies: must be addresses or networks such as "10.0.0.7" or "10.0.0.0/24", got {one!r}')
    if values["page.oidc_issuer"]:
        _judge_provider(values, faults)
    elif values["page.oidc_client_id"]:
        faults.append("page.oidc_client_id: without page.oidc_issuer there is no provider to know it")


def _judge_provider(values: dict[str, Any], faults: list[str]) -> None:
    if not _is_safe(values["page.oidc_issuer"]):
        faults.append("page.oidc_issuer: must begin with https:// (http:// is for loopback only)")
    for name, why in (
        ("page.oidc_client_id", "register the page at the provider, which gives it one"),
        ("page.url", "the provider sends people back to it, so it needs the address under which people reach the page"),
    ):
        if not values[name]:
            faults.append(f"{name}: {why}")
    if "openid" not in values["page.oidc_scopes"]:
        faults.append('page.oidc_scopes: must have "openid"')
    if not any(values[f"page.oidc_{role}s"] for role in ("viewer", "analyst", "admin")):
        faults.append(
            'page.oidc_viewers, page.oidc_analysts, page.oidc_admins: name the values of the claim that give a role, or nobody gets in; "*" is everybody'
        )
    if "*" in values["page.oidc_admins"]:
        faults.append('page.oidc_admins: "*" would let everybody manage who may do what: name a group')


def _is_safe(url: str) -> bool:
    """Whether what goes to an address is encrypted, or stays on this machine.

    >>> _is_safe("https://id.example/realm"), _is_safe("http://id.example"), _is_safe("http://127.0.0.1:9000")
    (True, False, True)
    """
    try:
        parts = urlsplit(url)
        return bool(parts.hostname) and (parts.scheme == "https" or (parts.scheme == "http" and is_loopback(parts.hostname or "")))
    except ValueError:
        return False


def _judge_secrets(values: dict[str, Any], faults: list[str]) -> None:
    """Refuse a secret that is one of the words in `PLACEHOLDERS`, whether it is the whole secret or the password in an address."""
    for setting in SETTINGS:
        if setting.kind == "secret" and {values[setting.name].lower(), _password(values[setting.name]).lower()} & PLACEHOLDERS:
            faults.append(
                f"{setting.name}: this word stands in examples for a secret of your own and is known to everybody; "
                f"`churnwatch config key FILE` writes a random one into a file, to be named in {setting.env}_FILE"
            )


def _password(url: str) -> str:
    """Return the password in an address; "" where it has none."""
    try:
        parts = urlsplit(url)
        return unquote(parts.password or "") or parse_qs(parts.query).get("password", [""])[0]
    except ValueError:  # no address
        return ""


def is_on_this_machine(redis_url: str) -> bool:
    """Whether a Redis can be reached from this machine only, as far as its address says.

    >>> [is_on_this_machine(url) for url in ("redis://127.0.0.1:6379/1", "unix:///run/redis.sock", "rediss://u:p@redis.example", "redis://[::1]")]
    [True, True, False, True]
    """
    parts = urlsplit(redis_url)
    return parts.scheme == "unix" or is_loopback(parts.hostname or "")


def _judge_kafka(values: dict[str, Any], faults: list[str]) -> None:
    if values["kafka.replication"] == 0:
        faults.append("kafka.replication: at least 1, or -1 for the broker's default, got 0")
    protocol, mechanism = values["kafka.security_protocol"], values["kafka.sasl_mechanism"]
    if protocol not in PROTOCOLS:
        faults.append(f"kafka.security_protocol: one of {', '.join(PROTOCOLS)}, got {protocol!r}{nearest(protocol, list(PROTOCOLS))}")
    elif protocol.startswith("SASL"):
        _judge_sasl(values, faults)
    elif mechanism or values["kafka.user"] or values["kafka.password"] or values["kafka.token_file"] or values["kafka.token_command"]:
        wanted = "SASL_SSL" if protocol == "SSL" else "SASL_SSL (or SASL_PLAINTEXT)"
        faults.append(f"kafka.security_protocol: {protocol} sends no user and no token, set it to {wanted}")
    tls_files = [name for name in ("kafka.ca_file", "kafka.cert_file", "kafka.key_file") if values[name]]
    if tls_files and not protocol.endswith("SSL"):
        faults.append(f"{tls_files[0]}: not used with kafka.security_protocol {protocol}, set it to SSL or SASL_SSL")
    for section in ("kafka", "redis"):
        if values[f"{section}.key_file"] and not values[f"{section}.cert_file"]:
            faults.append(f"{section}.key_file: a key is of no use without its certificate in {section}.cert_file")


def _judge_sasl(values: dict[str, Any], faults: list[str]) -> None:
    protocol, mechanism = values["kafka.security_protocol"], values["kafka.sasl_mechanism"]
    if mechanism not in SASL_MECHANISMS:
        faults.append(
            f"kafka.sasl_mechanism: one of {', '.join(SASL_MECHANISMS)}, got {mechanism!r}{nearest(mechanism, list(SASL_MECHANISMS))}"
        )
    elif mechanism == "OAUTHBEARER":
        if bool(values["kafka.token_file"]) == bool(values["kafka.token_command"]):
            faults.append("kafka.token_file: OAUTHBEARER needs either this or kafka.token_command")
    elif not values["kafka.user"] or not values["kafka.password"]:
        faults.append(f"kafka.user: {mechanism} needs a user, and a password in CHURNWATCH_KAFKA_PASSWORD")
    hosts = [one.rsplit(":", 1)[0] for one in values["kafka.bootstrap"].split(",")]
    if protocol == "SASL_PLAINTEXT" and mechanism in {"PLAIN", "OAUTHBEARER"} and not all(map(is_loopback, hosts)):
        faults.append(
            f"kafka.security_protocol: {mechanism} over SASL_PLAINTEXT shows the secret to everybody on the way: set SASL_SSL, or use SCRAM-SHA-512"
        )


def _quoted(text: str) -> str:
    """Return text as it may stand in the query of a URL.

    >>> _quoted("/a b.pem")
    '%2Fa%20b.pem'
    """
    return "".join(
        chr(byte) if chr(byte).isascii() and (chr(byte).isalnum() or chr(byte) in "-._~") else f"%{byte:02X}" for byte in text.encode()
    )


def _redis_url(values: Mapping[str, Any]) -> str:
    """Return the address with the files of TLS in it, as redis-py takes them, so that whoever connects to it uses them."""
    named = {"ssl_ca_certs": "ca_file", "ssl_certfile": "cert_file", "ssl_keyfile": "key_file", "ssl_password": "key_password"}
    query = "&".join(f"{name}={_quoted(values[f'redis.{one}'])}" for name, one in named.items() if values[f"redis.{one}"])
    url: str = values["redis.url"]
    return url if not query else f"{url}{'&' if '?' in url else '?'}{query}"


def _judge_addresses(values: dict[str, Any], faults: list[str]) -> None:
    if not all(_ADDRESS.match(one) for one in values["kafka.bootstrap"].split(",")):
        # not shown: whoever puts a whole URL here may have put a password into it
        faults.append('kafka.bootstrap: must be host:port, several with commas: "kafka-1:9092,kafka-2:9092"')
    if not _REDIS_URL.match(values["redis.url"]):
        faults.append(
            "redis.url: must be redis://host:port or rediss:// with user:password@ before the host if it asks for them; "
            "write / ? # in a password as %2F %3F %23"
        )
    if not values["redis.url"].startswith("rediss:") and any(values[f"redis.{name}"] for name in ("ca_file", "cert_file")):
        faults.append("redis.ca_file, redis.cert_file: not used with this redis.url, TLS is rediss://")
    if not _CURRENCY.match(values["page.currency"]):
        faults.append(f'page.currency: must be a code of three capital letters such as "EUR", got {values["page.currency"]!r}')
    web = values["worker.web"]
    if web and not _ADDRESS.match(web):
        faults.append(f"worker.web: must be host:port or empty, got {web!r}")
    elif web and not is_loopback(web.rpartition(":")[0]) and not values["worker.web_token"]:
        faults.append(
            f"worker.web is {web}, which others can reach: set CHURNWATCH_WEB_TOKEN to a long random text "
            "(`churnwatch config key web.token` makes one, for CHURNWATCH_WEB_TOKEN_FILE), or listen on 127.0.0.1"
        )
