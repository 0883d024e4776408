"""One backtest from its options to its three files."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import msgspec
import polars as pl

from features.definitions.definition import BITMAP_DAYS, DAY_MS, ChurnDefinition
from features.files.options import ReadOptions
from features.users.spec import FeatureSpec
from online_models.catalog import LIVE
from online_models.catalog import NAMES as MODELS
from online_models.champion import RULE
from online_models.nowcast import judged
from online_models.trainer import TrainerSettings
from stream.backtest.log import History, active_days, key_events, read_history, read_labels
from stream.backtest.replay import Replay, Result
from stream.faults import UsageFault
from stream.screen import Screen
from stream.shown import visible

Landmarks = Literal["daily", "active-day"]
AUTO, LIVE_SET = "auto", "live"


@dataclass(frozen=True, slots=True)
class Options:
    """What to run.

    Attributes
    ----------
    definition : ChurnDefinition
    grace_ms : int
        How long after the horizon a label is final.
    landmarks : {"daily", "active-day"}
        Daily: one landmark a day for every eligible user, as in a worker. Active-day: one at the end of each calendar day with activity.
    labels : Path or None
        A file of landmarks and labels, used in place of the log's own.
    model : str
        "auto" (the whole catalog, the best serves), "live" (those a live trainer has by default, the best serves), or one of the catalog.
    reading : ReadOptions or None
        What was said about the files; None for defaults.
    spec : FeatureSpec or None
        From the settings: key events, funnel, channels and so on; None for defaults.
    """

    events: Sequence[Path]
    out: Path
    definition: ChurnDefinition
    grace_ms: int = 0
    landmarks: Landmarks = "daily"
    labels: Path | None = None
    timezone: str = "UTC"
    model: str = AUTO
    seed: int = 0
    spec: FeatureSpec | None = None
    reading: ReadOptions | None = None

    @property
    def title(self) -> str:
        """Name of what is read."""
        return self.events[0].name + (f" and {len(self.events) - 1} more" if len(self.events) > 1 else "")


def candidates_of(model: str) -> tuple[str, ...]:
    """Names of the candidates that take part.

    >>> candidates_of("logistic")
    ('cadence', 'logistic')
    """
    if model == AUTO:
        return MODELS
    return LIVE if model == LIVE_SET else (RULE, model)


def _why_empty(history: History, definition: ChurnDefinition, grace_ms: int, asked: pl.DataFrame | None) -> str:
    """Say why there is nothing to grade."""
    days = (history.last_ms - history.first_ms) / DAY_MS
    needed = (definition.horizon_ms + grace_ms) / DAY_MS
    if asked is not None and not asked.height:
        what = "no day with activity"
    elif asked is not None:
        what = "no landmark of the labels that lies within the log"
    else:
        what = "no daily landmark"
    return f"{what} has a known label: the log spans {days:.1f} days, and a label is known {needed:.0f} days after its landmark"


def backtest(options: Options) -> tuple[dict[str, Any], Result]:
    """Run and write `predictions.parquet`, `report.json` and `report.html` into the folder.

    Raises
    ------
    UsageFault
        For files or options that cannot be run.
    """
    from stream.backtest.report import About, page, report

    definition = options.definition
    if definition.horizon_ms + options.grace_ms > (BITMAP_DAYS - 2) * DAY_MS:
        raise UsageFault("horizon + grace must stay below 62 days: the bitmap of landmarks holds 64")
    base = options.spec or FeatureSpec()
    history = read_history(options.events, options.reading, base.set_aside)
    asked = None
    if options.labels is not None:
        asked = read_labels(options.labels)
        definition = msgspec.structs.replace(definition, segment=())  # every row of the file is scored
    elif definition.kind == "external":
        raise UsageFault(f"the labels of {definition.name!r} come from outside: say --labels FILE")
    elif options.landmarks == "active-day":
        asked = active_days(history, definition, options.timezone, options.grace_ms)
    spec = msgspec.structs.replace(
        base, key_events=base.key_events or key_events(history), lateness_ms=options.grace_ms, timezone=options.timezone,
        definitions=(definition,), landmarks="daily" if asked is None else "asked",
    )  # fmt: skip
    trainer = TrainerSettings(
        {definition.name: definition.horizon_ms}, models=candidates_of(options.model), seed=options.seed, channels=spec.channels,
        wanted={definition.name: options.model} if options.model not in {AUTO, LIVE_SET} else None,
        judged={} if options.labels is not None else judged((definition,), daily=asked is None),
    )  # fmt: skip
    with Screen().progress() as progress:
        total = history.frame.height + (asked.height if asked is not None else 0)
        task = progress.add_task(visible(options.title), total=total)
        result = asyncio.run(Replay(history, spec, trainer, asked).run(lambda done: progress.update(task, completed=done)))
    landmarks = f"of {options.labels.name}" if options.labels is not None else options.landmarks
    settings = {
        "kind": definition.kind, "active_window_ms": definition.active_window_ms, "horizon_ms": definition.horizon_ms,
        "activity": list(definition.activity), "target": list(definition.target), "segment": list(definition.segment), "grace_ms": options.grace_ms, "timezone": options.timezone, "key_events": list(spec.key_events),
        "spec_hash": spec.hash,
    }  # fmt: skip
    about = About(
        options.title,
        definition.name,
        landmarks,
        options.model,
        options.seed,
        settings,
        history.rejected,
        history.sorted_here,
        history.left_out,
        [note for summary in history.told for note in summary.notes],
    )
    options.out.mkdir(parents=True, exist_ok=True)
    result.predictions.write_parquet(options.out / "predictions.parquet")
    found = report(about, result, history.first_ms, history.last_ms)
    found["about"]["rows"] = history.frame.height + history.rejected
    found["about"]["empty"] = "" if result.predictions.height else _why_empty(history, definition, options.grace_ms, asked)
    (options.out / "report.json").write_bytes(msgspec.json.format(msgspec.json.encode(found), indent=1))
    (options.out / "report.html").write_text(page(found, result))
    return found, result
