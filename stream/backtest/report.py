"""What a backtest says: figures as JSON, pictures as one HTML page that needs nothing else."""

from __future__ import annotations

import base64
import html
import io
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import matplotlib as mpl
import matplotlib.dates as mdates
import matplotlib.pyplot as plt
import numpy as np
import polars as pl

from online_models.explain import importances
from online_models.quality import FIGURES, Tally, figures_in_words
from online_models.reliability import reliability
from stream.backtest.replay import Result
from stream.shown import visible

mpl.use("Agg")
LAST_SHARE = 0.3
"""The last part of the calendar is also reported on its own, since early scores come from models that have hardly begun to learn."""
INK, ACCENT, SOFT = "#1b2733", "#0b6e8f", "#9fb6c3"


@dataclass(frozen=True, slots=True)
class About:
    """What was run, for the head of the report."""

    file: str
    definition: str
    landmarks: str
    model: str
    seed: int
    settings: Mapping[str, Any]
    rejected: int
    sorted_here: bool
    left_out: Mapping[str, int] = field(default_factory=dict)
    notes: Sequence[str] = ()


def tally_of(frame: pl.DataFrame) -> Tally:
    """Return the tally of some predictions."""
    tally = Tally()
    tally.add(frame["label"].to_numpy(), frame["score"].to_numpy())
    return tally


def last_part(predictions: pl.DataFrame, first_ms: int, last_ms: int) -> pl.DataFrame:
    """Return the predictions whose landmark lies in the last `LAST_SHARE` of the calendar."""
    return predictions.filter(pl.col("landmark_ms") >= first_ms + (1 - LAST_SHARE) * (last_ms - first_ms))


def report(about: About, result: Result, first_ms: int, last_ms: int) -> dict[str, Any]:
    """Return all figures, ready for JSON, with null in place of NaN."""
    predictions = result.predictions
    last = last_part(predictions, first_ms, last_ms)
    parts = {
        "all": predictions,
        "all, repeat days": predictions.filter(~pl.col("first_day")),
        "last 30 % of the calendar": last,
        "last 30 % of the calendar, repeat days": last.filter(~pl.col("first_day")),
        "scored by a model that learned": predictions.filter(pl.col("model") != "cadence"),
    }
    learner = result.learner
    found = {
        "about": {
            "events_file": about.file, "definition": about.definition, "landmarks": about.landmarks, "model": about.model, "seed": about.seed,
            "settings": dict(about.settings), "rows_rejected": about.rejected, "rejected_by_reason": dict(about.left_out), "notes": list(about.notes), "file_was_out_of_order": about.sorted_here,
        },
        "counts": {
            "events": result.events, "predictions": predictions.height, "censored": result.censored, "repeats": result.repeats, "learned": learner.learned,
            "seconds": round(result.seconds, 2), "events_per_s": round(result.events / max(result.seconds, 1e-9)),
        },
        "figures": {name: tally_of(frame).figures() for name, frame in parts.items() if frame.height},
        "calibration": {name: _calibration(frame) for name, frame in parts.items() if frame.height},
        "by_day": result.by_day.with_columns(pl.col("day").cast(pl.String)).to_dicts(),
        "segments": learner.progress.figures(),
        "candidates": {name: tally.figures() for name, tally in learner.totals.items()},
        "champion": {
            "now": learner.standing.champion,
            "predictions_by_model": dict(predictions["model"].value_counts().sort("count", descending=True).iter_rows()),
            "changes": [
                {"at_ms": version.learned_until_ms, "to": version.champion, "why": version.why} for version in result.versions if version.why
            ],
        },
        "drifts": [{"at_ms": one.at_ms, "of": one.of} for version in result.versions for one in version.drifts],
        "reliability": [{"stated": a, "observed": b, "n": n} for a, b, n in tally_of(predictions).reliability()],
        "importances": dict(_importances(result)),
        "costs": {
            one.name: {
                "examples": one.examples, "seconds": round(one.learn_s, 3), "us_per_example": round(1e6 * one.learn_s / max(one.examples, 1), 1)
            }
            for one in result.costs
        },
    }  # fmt: skip
    cleaned: dict[str, Any] = _clean(found)
    return cleaned


def _calibration(predictions: pl.DataFrame) -> dict[str, float]:
    """Return the calibration error over bins of equally many scores, that of a perfect forecaster, and the difference."""
    found = reliability(predictions["label"].to_numpy(), predictions["score"].to_numpy(), predictions["user"].to_numpy())
    return {
        "ece_equal_bins": found.ece,
        "floor": found.floor,
        "excess": found.excess,
        "stated": _mean(predictions, "score"),
        "seen": _mean(predictions, "label"),
    }


def _mean(predictions: pl.DataFrame, column: str) -> float:
    return float(predictions[column].to_numpy().mean())


def _importances(result: Result) -> list[tuple[str, float]]:
    learner = result.learner
    if not len(learner.sample):
        return []
    return importances(learner.compiled(learner.standing.champion), learner.sample)


def _clean(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(key): _clean(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_clean(inner) for inner in value]
    if isinstance(value, float):
        return round(value, 6) if math.isfinite(value) else None
    return value


def page(found: Mapping[str, Any], result: Result) -> str:
    """Return the HTML page of a report."""
    about, counts = found["about"], found["counts"]
    headline = found["figures"].get("last 30 % of the calendar") or found["figures"].get("all")
    title = f"Churn backtest: {about['definition']}"
    says = (
        f"{counts['events']:,} events of {_shown(about['events_file'])}, {counts['predictions']:,} predictions graded, "
        f"{counts['censored']:,} censored (the log ends before their label). Landmarks: {about['landmarks']}; model: {about['model']}; "
        f"{counts['events_per_s']:,} events/s."
    )
    pictures = [
        ("Is a stated risk the observed share?", _reliability(found)),
        ("Stated against seen, by day and by layer", _by_day(result.by_day)),
        ("How many churners are caught by asking the riskiest first", _lift(result.predictions)),
        ("How good, month by month", _over_time(result.predictions)),
        ("Who served, and how the candidates did", _candidates(result)),
        ("How well each segment is told apart, and how far its stated risk is off", _by_segment(found["segments"])),
        ("What the champion looks at", _bars(found["importances"])),
    ]
    body = "\n".join(f"<section><h2>{heading}</h2>{picture}</section>" for heading, picture in pictures if picture)
    tables = [
        ("Figures", _table(found["figures"])), ("Calibration over ten bins of equally many scores", _calibrations(found["calibration"])), ("By segment (champion, since the beginning)", _table(found["segments"])),
        ("Candidates (stated scores, since each began)", _table(found["candidates"])), ("Champion", _changes(found)), ("Cost of learning", _costs(found)),
    ]  # fmt: skip
    numbers = "\n".join(f"<section><h2>{heading}</h2>{table}</section>" for heading, table in tables if table)
    tiles = "".join(
        f"<div><b>{headline[name]:.3f}</b><span>{words}</span></div>"
        for name, words in (("auc", "AUC"), ("log_loss", "log-loss"), ("ece", "calibration error"), ("lift_10", "lift at 10 %"), ("base_rate", "churned"))
        if headline and headline[name] is not None
    )  # fmt: skip
    return _PAGE.format(title=_shown(title), says=says, tiles=tiles, body=body, numbers=numbers)


def _shown(text: str) -> str:
    """Return a text from outside as it may stand in a page."""
    return html.escape(visible(text))


def _picture(draw: Any, width: float = 7.2, height: float = 3.4) -> str:
    with plt.rc_context({
        "text.parse_math": False,  # a channel may have a $ in its name, and means no formula by it
        "font.size": 9, "axes.edgecolor": SOFT, "axes.labelcolor": INK, "text.color": INK, "xtick.color": INK, "ytick.color": INK,
        "axes.spines.top": False, "axes.spines.right": False, "svg.hashsalt": "churnwatch",
    }):  # fmt: skip
        figure, axes = plt.subplots(figsize=(width, height), layout="constrained")
        draw(axes)
        out = io.BytesIO()
        figure.savefig(out, format="svg", metadata={"Date": None, "Creator": None})
        plt.close(figure)
    return f'<img alt="" src="data:image/svg+xml;base64,{base64.b64encode(out.getvalue()).decode()}">'


def _reliability(found: Mapping[str, Any]) -> str:
    points = found["reliability"]

    def draw(axes: Any) -> None:
        axes.plot([0, 1], [0, 1], color=SOFT, lw=1)
        most = max((one["n"] for one in points), default=1)
        axes.scatter([one["stated"] for one in points], [one["observed"] for one in points], s=[20 + 180 * one["n"] / most for one in points], color=ACCENT, alpha=0.8)  # fmt: skip
        axes.set(xlabel="stated risk", ylabel="share that churned", xlim=(0, 1), ylim=(0, 1))

    return _picture(draw, 4.2, 4.0)


LEAST_A_DAY, DAYS_SHOWN = 20, 60


def _by_day(days: pl.DataFrame) -> str:
    """Draw the share that churned and what each layer stated; days are put together so that about `DAYS_SHOWN` points are left."""
    if days.height < 2:
        return ""
    together = 1 + int((days["day"].max() - days["day"].min()).days) // DAYS_SHOWN  # type: ignore[operator, union-attr]  # dates, by `Result.by_day`
    layers = [name for name in days.columns if name not in {"day", "n", "seen", "served"}]
    weighted = [
        ((pl.col(name) * pl.col("n")).sum() / pl.col("n").filter(pl.col(name).is_not_null()).sum()).alias(name)
        for name in ("seen", "served", *layers)
    ]
    rows = days.group_by_dynamic("day", every=f"{together}d").agg(*weighted, pl.col("n").sum()).filter(pl.col("n") >= LEAST_A_DAY)
    if rows.height < 2:
        return ""

    def draw(axes: Any) -> None:
        when = rows["day"].to_list()
        for name, colour in zip(layers, ("#5b8c5a", "#7a5ea8", "#c2a33a", "#888888", "#4f7fb0", "#b0643c", "#d58a94"), strict=False):
            axes.plot(when, rows[name].to_list(), color=colour, lw=0.9, label=name)
        axes.plot(when, rows["served"].to_list(), color=ACCENT, lw=2.4, label="served")
        axes.plot(when, rows["seen"].to_list(), color=INK, lw=0, marker="o", ms=3.5, label="seen")
        axes.set_ylabel("mean risk; share that churned")
        axes.legend(frameon=False, ncols=5, loc="lower center", bbox_to_anchor=(0.5, 1.0))
        axes.xaxis.set_major_formatter(mdates.ConciseDateFormatter(axes.xaxis.get_major_locator()))

    return _picture(draw, 7.2, 4.2)


def _over_time(predictions: pl.DataFrame) -> str:
    months = (
        predictions.with_columns(month=pl.from_epoch("landmark_ms", time_unit="ms").dt.truncate("1mo"))
        .sort("month")
        .partition_by("month", as_dict=True)
    )
    rows = [(key[0], tally_of(frame).figures()) for key, frame in months.items() if frame["label"].n_unique() == 2 and frame.height >= 50]
    if len(rows) < 2:
        return ""

    def draw(axes: Any) -> None:
        when = [at for at, _ in rows]
        axes.plot(when, [row["auc"] for _, row in rows], color=ACCENT, lw=2, label="AUC")
        axes.plot(when, [row["log_loss"] for _, row in rows], color=INK, lw=1.5, label="log-loss")
        axes.plot(when, [row["base_rate"] for _, row in rows], color=SOFT, lw=1.5, label="share that churned")
        axes.legend(frameon=False, ncols=3, loc="lower center", bbox_to_anchor=(0.5, 1.0))
        axes.set_ylim(0, 1)
        axes.xaxis.set_major_formatter(mdates.ConciseDateFormatter(axes.xaxis.get_major_locator()))

    return _picture(draw)


def _candidates(result: Result) -> str:
    if len(result.moments) < 2:
        return ""

    def draw(axes: Any) -> None:
        when = [datetime.fromtimestamp(one.at_ms / 1000, UTC) for one in result.moments]
        colours = dict(zip(result.learner.names, ("#b0643c", "#5b8c5a", "#7a5ea8", "#c2a33a", "#888888", ACCENT), strict=False))
        for name, colour in colours.items():
            axes.plot(when, [one.losses.get(name, np.nan) for one in result.moments], color=colour, lw=1.2, label=name)
        low, high = axes.get_ylim()
        for begin, end, one in zip(when, when[1:], result.moments, strict=False):
            axes.axvspan(begin, end, ymin=0, ymax=0.03, color=colours.get(one.champion, INK), lw=0)
        axes.set(ylabel="log-loss over the window (floor: who serves)", ylim=(low - 0.05 * (high - low), high))
        axes.legend(frameon=False, ncols=6, loc="lower center", bbox_to_anchor=(0.5, 1.0))
        axes.xaxis.set_major_formatter(mdates.ConciseDateFormatter(axes.xaxis.get_major_locator()))

    return _picture(draw)


def _lift(predictions: pl.DataFrame) -> str:
    labels = predictions.sort("score", descending=True)["label"].to_numpy().astype(np.float64)
    if not labels.sum():
        return ""

    def draw(axes: Any) -> None:
        asked = np.arange(1, len(labels) + 1) / len(labels)
        every = max(1, len(labels) // 500)
        axes.plot([0, 1], [0, 1], color=SOFT, lw=1)
        axes.plot(asked[::every], (np.cumsum(labels) / labels.sum())[::every], color=ACCENT, lw=2)
        axes.set(xlabel="share of users asked", ylabel="share of churners reached", xlim=(0, 1), ylim=(0, 1))

    return _picture(draw, 4.2, 4.0)


def _by_segment(rows: Mapping[str, Mapping[str, Any]]) -> str:
    told = [(name, row) for name, row in rows.items() if row["auc"] is not None][::-1]
    if len(told) < 2:
        return ""

    def draw(axes: Any) -> None:
        names = [f"{visible(name)} ({row['n']:,.0f})" for name, row in told]
        axes.barh(
            names,
            [row["auc"] - 0.5 for _, row in told],
            left=0.5,
            color=ACCENT,
            height=0.6,
            label="AUC (right of the line: better than chance)",
        )
        axes.scatter([row["ece"] for _, row in told], names, color="#b0643c", s=22, zorder=3, label="calibration error")
        axes.axvline(0.5, color=INK, lw=0.8)
        axes.set_xlim(0, 1)
        axes.legend(frameon=False, ncols=2, loc="lower center", bbox_to_anchor=(0.5, 1.0))

    return _picture(draw, 7.2, 1.0 + 0.24 * len(told))


def _bars(shares: Mapping[str, float]) -> str:
    top = list(shares.items())[:15][::-1]
    if not top:
        return ""

    def draw(axes: Any) -> None:
        axes.barh([name for name, _ in top], [share for _, share in top], color=ACCENT)
        axes.set_xlabel("mean change of the log-odds")

    return _picture(draw, 6.4, 4.2)


def _table(rows: Mapping[str, Mapping[str, Any]]) -> str:
    if not rows:
        return ""
    head = "".join(f"<th>{heading}</th>" for heading in ("", *FIGURES.values()))
    lines = []
    for name, row in rows.items():
        cells = "".join(f"<td>{cell}</td>" for cell in figures_in_words(row))
        lines.append(f"<tr><th>{_shown(name)}</th>{cells}</tr>")
    return f"<table><tr>{head}</tr>{''.join(lines)}</table>"


def _calibrations(rows: Mapping[str, Mapping[str, Any]]) -> str:
    heads = {"stated": "stated", "seen": "seen", "ece_equal_bins": "ECE", "floor": "of a perfect forecaster", "excess": "excess"}
    lines = "".join(
        f"<tr><th>{_shown(name)}</th>{''.join(f'<td>{row[key]:.4f}</td>' for key in heads)}</tr>"
        for name, row in rows.items()
        if row["excess"] is not None
    )
    return f"<table><tr><th></th>{''.join(f'<th>{head}</th>' for head in heads.values())}</tr>{lines}</table>" if lines else ""


def _changes(found: Mapping[str, Any]) -> str:
    served = ", ".join(f"{_shown(name)} {count:,}" for name, count in found["champion"]["predictions_by_model"].items())
    lines = [(one["at_ms"], f"{_shown(one['to'])} serves: {_shown(one['why'])}") for one in found["champion"]["changes"]]
    lines += [(one["at_ms"], f"drift of the {one['of']}: models learn faster for a while") for one in found["drifts"]]
    items = "".join(f"<li>{_day(at)} {words}</li>" for at, words in sorted(lines))
    return f"<p>Predictions by model: {served}.</p><ul>{items}</ul>"


def _costs(found: Mapping[str, Any]) -> str:
    if not found["costs"]:
        return ""
    lines = "".join(
        f"<tr><th>{name}</th><td>{row['examples']:,}</td><td>{row['seconds']}</td><td>{row['us_per_example']}</td></tr>"
        for name, row in found["costs"].items()
    )
    return f"<table><tr><th></th><th>examples</th><th>seconds</th><th>us per example</th></tr>{lines}</table>"


def _day(at_ms: int) -> str:
    return datetime.fromtimestamp(at_ms / 1000, UTC).date().isoformat()


_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><title>{title}</title>
<style>
body {{ font: 15px/1.5 system-ui, sans-serif; color: #1b2733; max-width: 62rem; margin: 2rem auto; padding: 0 1rem; background: #fff }}
h1 {{ font-size: 1.6rem; margin: 0 }} h2 {{ font-size: 1.05rem; margin: 2rem 0 .5rem }}
.tiles {{ display: flex; flex-wrap: wrap; gap: 1rem; margin: 1.2rem 0 }}
.tiles div {{ border-left: 3px solid #0b6e8f; padding: .2rem .9rem }} .tiles b {{ display: block; font-size: 1.5rem }}
.tiles span {{ color: #51626f }}
.pictures {{ display: flex; flex-wrap: wrap; gap: 0 2rem }}
img {{ max-width: 100% }}
section {{ overflow-x: auto }}
table {{ border-collapse: collapse; font-variant-numeric: tabular-nums }}
th, td {{ padding: .2rem .7rem; text-align: right; border-bottom: 1px solid #e3eaee; font-weight: 400; white-space: nowrap }}
th:first-child {{ text-align: left }}
</style></head><body>
<h1>{title}</h1><p>{says}</p>
<p>Every score was stated before its label was known, and every label was learned only after it had matured.
Tiles: the last 30 % of the calendar.</p>
<div class="tiles">{tiles}</div>
<div class="pictures">{body}</div>
{numbers}
</body></html>
"""
