"""All settings: one table, read from `churnwatch.toml` and the environment, judged as a whole before anything starts.

Errors::

    SettingsError    every fault at once, each with what to do
"""

from __future__ import annotations

import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any
from urllib.parse import quote

from features.definitions.definition import DAY_MS, ChurnDefinition
from features.definitions.rules import Rules
from features.users.spec import FeatureSpec
from stream.alerts.policy import PolicySettings
from stream.settings.judged import is_on_this_machine, judge_kafka, judge_name, judge_page, judge_secrets, judge_together
from stream.settings.made import MADE, made_of, rule_named
from stream.settings.releases import Release, releases_of
from stream.settings.reports import ScheduledReport, judge_mail, reports_of
from stream.settings.table import SETTINGS
from stream.settings.tables import ScheduledTable, tables_of
from stream.settings.values import duration_ms, duration_text, is_loopback, names_of, nearest, read, text_of
from stream.settings.watches import Watch, watches_of
from stream.toml_value import toml_value

__all__ = [
    "SETTINGS", "Settings", "SettingsError", "duration_ms", "duration_text", "example_toml", "is_loopback", "is_on_this_machine", "load_settings", "nearest",
]  # fmt: skip

DEFAULT_FILE = "churnwatch.toml"
_BY_NAME = {setting.name: setting for setting in SETTINGS}
_SEVERAL = ("definitions", "releases", "reports", "watches", "tables", *MADE)
_DEFINITION_KEYS = ("name", "kind", "active_window", "horizon", "activity", "target", "segment")


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
class Settings:
    """Validated settings; `settings["kafka.bootstrap"]`. Secrets are masked when printed."""

    values: Mapping[str, Any]
    definitions: tuple[ChurnDefinition, ...]
    releases: tuple[Release, ...] = ()
    reports: tuple[ScheduledReport, ...] = ()
    watches: tuple[Watch, ...] = ()
    tables: tuple[ScheduledTable, ...] = ()
    made: Mapping[str, tuple[Mapping[str, Any], ...]] = field(default_factory=dict)
    """Tables of questions, boards and segments, as the file has them."""

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

    def rules(self, spec: FeatureSpec | None = None) -> Rules:
        """Return the rules by which events are rejected or set aside, for an app with this spec (default: that of these settings)."""
        return Rules(
            strict_types=self["features.strict_types"] or None,
            not_users=self["features.not_users"],
            oldest_ms=self["features.oldest"],
            set_aside=(spec or self.spec()).set_aside,
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
    raw, tables = _file_values(path, environment, faults)
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
            values[setting.name] = read(setting, value)
        except ValueError as error:
            faults.append(f"{source}: {error}")
            values[setting.name] = read(setting, setting.default)
    for name in (*raw, *(name.replace("__", ".") for name in overrides)):
        faults.append(f"{name}: unknown setting{nearest(name, list(_BY_NAME))}")
    made = made_of(tables, faults)
    definitions = tuple(
        filter(None, (_definition(index, one, made["segments"], faults) for index, one in enumerate(tables["definitions"])))
    ) or (ChurnDefinition(),)
    releases = releases_of(tables["releases"], faults)
    judge_together(values, definitions, faults)
    judge_secrets(values, faults)
    judge_kafka(values, faults)
    judge_page(values, faults)
    reports = reports_of(tables["reports"], values["features.timezone"], faults)
    watches = watches_of(tables["watches"], faults)
    scheduled = tables_of(tables["tables"], values["features.timezone"], values["bi.database"], faults)
    senders = [*(f"[[reports]] {one.name}" for one in reports if one.to), *(f"[[watches]] {one.name}" for one in watches if one.to)]
    judge_mail(values, senders, faults)
    if faults:
        raise SettingsError(faults)
    values["redis.url"] = _redis_url(values)
    return Settings(MappingProxyType(values), definitions, releases, reports, watches, scheduled, made)


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
        lines += [f"# {setting.help}" + (f" (or {setting.env})" if setting.env else ""), f"# {name} = {toml_value(setting.default)}"]
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
        "",
        "# What people begin with on the page: segments, questions, boards (docs/boards.md); `config export` writes what they have made.",
        "# [[segments]]",
        '# name = "payers"',
        '# title = "Who paid"',
        '# rule = ["purchases >= 1"]    # a definition may say segment = ["segment.payers"], if its rule is over features',
        "# [[questions]]",
        '# name = "back"',
        '# title = "Do those who paid come back"',
        '# analysis = "retention"',
        '# parameters = { unit = "week", segment = "payers" }',
        '# shown = "chart"              # or "table", or "number" with cell = { metric = "overall", k = 1 }',
        "# [[boards]]",
        '# name = "monday"',
        '# title = "Every Monday"',
        '# questions = ["back"]',
        "",
        "# What changed in the product, and when; `churnwatch releases` and the page Changes say what became of it.",
        "# [[releases]]",
        '# name = "2.0"',
        '# at = "2026-03-01"             # a day, or an instant such as "2026-03-01T06:00", of features.timezone',
        '# kind = "release"             # or "campaign": a mark, whose effect is not measured',
        '# touched = ""                 # a condition on events that tells whom it reached: "props.version=2.0"; empty: everybody',
        "",
        "# Reports that come by themselves, several if need be (docs/reports.md).",
        "# [[reports]]",
        '# name = "monday"',
        '# every = "week"               # or "day"',
        '# on = "monday"',
        '# at = "08:00"',
        '# zone = "Europe/Berlin"       # default: features.timezone',
        '# lang = "en"                  # or "zh"',
        '# to = ["ann@example.org"]     # by mail, see [mail]',
        '# folder = "reports"           # written there, too',
        '# boards = ["monday"]          # behind Today, in the HTML file (docs/boards.md)',
        "",
        "# Numbers that are watched (docs/reports.md).",
        "# [[watches]]",
        '# name = "day 7"',
        '# analysis = "retention"',
        '# parameters = { unit = "week", window = "days", brackets = ["7"] }',
        '# metric = "retention"',
        "# cell = { k = 7 }             # what tells the number from others of its metric",
        "# below = 0.2                  # or above = 0.5, or falls = 0.1, rises = 0.1: against the period before",
        '# on = "complete"              # or "forecast"',
        "# least = 30                   # of fewer people it is not judged",
        '# to = ["ann@example.org"]     # by mail; topic = false: not on the topic metric_alerts',
        "",
        "# Small tables for Tableau, FineBI, Excel and others, made anew each day or week (docs/reports.md).",
        "# [[tables]]",
        '# name = "weekly-retention"',
        '# analysis = "retention"       # any of docs/analyses.md; or question = "back", one that is kept',
        '# parameters = { unit = "week" }',
        '# every = "day"                # or "week", with on = "monday"',
        '# at = "06:00"',
        '# folder = "tables"            # NAME.parquet, NAME.csv, NAME.xlsx, each in place of the one before',
        '# forms = ["parquet", "csv"]   # default: parquet',
        '# table = "retention"          # and into PostgreSQL, which CHURNWATCH_BI_DATABASE names',
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


def _file_values(path: Path | None, environment: Mapping[str, str], faults: list[str]) -> tuple[dict[str, Any], dict[str, list[Any]]]:
    """Return single values by name, and tables that may stand several times."""
    several: dict[str, list[Any]] = {name: [] for name in _SEVERAL}
    named = path or (Path(environment["CHURNWATCH_CONFIG"]) if environment.get("CHURNWATCH_CONFIG") else None)
    file = named or Path(DEFAULT_FILE)
    if not file.exists():
        if named:
            faults.append(f"{file}: no such file")
        return {}, several
    try:
        tree = tomllib.loads(file.read_text())
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        faults.append(f"{file}: not TOML: {error}")
        return {}, several
    for name in _SEVERAL:
        found = tree.pop(name, [])
        several[name] = found if isinstance(found, list) else [found]
    values: dict[str, Any] = {}
    for section, content in tree.items():
        if isinstance(content, dict):
            values.update({f"{section}.{name}": value for name, value in content.items()})
        else:
            values[section] = content
    return values, several


def _from_environment(name: str, environment: Mapping[str, str], faults: list[str]) -> str | None:
    """Return the value of NAME, or the content of the file that NAME_FILE names; None where neither is set."""
    if environment.get(f"{name}_FILE"):
        return _from_file(f"{name}_FILE", environment[f"{name}_FILE"], faults)
    return environment.get(name)


def _from_file(name: str, file: object, faults: list[str]) -> str | None:
    """Return the content of a file with one secret in it; None, and a fault, where that fails."""
    try:
        if content := Path(text_of(file)).read_text().strip():
            return content
        faults.append(f"{name}: the file is empty")
    except OSError as error:
        faults.append(f"{name}: {error.strerror}")
    except ValueError:  # no text, or not the name of a file
        faults.append(f"{name}: must be the path of a text file")
    return None


def _definition(index: int, raw: object, segments: tuple[Mapping[str, Any], ...], faults: list[str]) -> ChurnDefinition | None:
    where = f"definitions[{index}]"
    if not isinstance(raw, dict):
        faults.append(f"{where}: must be a table, [[definitions]]")
        return None
    for name in raw:
        if name not in _DEFINITION_KEYS:
            faults.append(f"{where}.{name}: unknown setting{nearest(name, list(_DEFINITION_KEYS))}")
    try:
        definition = ChurnDefinition(
            name=text_of(raw.get("name", "churn14")),
            kind=raw.get("kind", "inactivity"),
            active_window_ms=duration_ms(raw.get("active_window", "14d")),
            horizon_ms=duration_ms(raw.get("horizon", "14d")),
            activity=names_of(raw.get("activity", ())),
            target=names_of(raw.get("target", ())),
            segment=tuple(one for text in names_of(raw.get("segment", ())) for one in rule_named(text, segments)),
        )
    except ValueError as error:
        faults.append(f"{where}: {error}")
        return None
    judge_name(f"{where}.name", definition.name, faults)
    if definition.kind not in {"inactivity", "did_event", "external"}:
        faults.append(f'{where}.kind: "inactivity", "did_event" or "external", got {definition.kind!r}')
    if definition.kind == "did_event" and not definition.target:
        faults.append(f"{where}.target: a did_event definition needs the event types that mean churn")
    if definition.active_window_ms <= 0 or definition.horizon_ms < DAY_MS:
        faults.append(f"{where}: active_window must be positive and horizon at least 1d")
    return definition


def _redis_url(values: Mapping[str, Any]) -> str:
    """Return the address with the files of TLS in it, as redis-py takes them, so that whoever connects to it uses them."""
    named = {"ssl_ca_certs": "ca_file", "ssl_certfile": "cert_file", "ssl_keyfile": "key_file", "ssl_password": "key_password"}
    query = "&".join(f"{name}={quote(values[f'redis.{one}'], safe='')}" for name, one in named.items() if values[f"redis.{one}"])
    url: str = values["redis.url"]
    return url if not query else f"{url}{'&' if '?' in url else '?'}{query}"
