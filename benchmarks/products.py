"""A hundred made-up products that nobody tuned to, each with a change of regime, after which stated risks are graded.

``python -m benchmarks.products [--write] [--only NAME]`` plays the products of `benchmarks.family` through a whole backtest each (shard, trainer, all
live candidates, default settings), and grades what was served from H + G after the change of regime to the end. --only takes a part of a name, such
as `outage`; with --write the table of all goes into RESULTS.md.

The figure is the *excess*: ECE over ten bins of equally many scores, less its mean over 200 draws of outcomes from the stated risks, by user
(`online_models.reliability`). It is asked to be at most .015 in 95 of 100. `chance` is how often a perfect forecaster would be above that.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import time
from collections.abc import Sequence

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # as the command line does; numpy reads it when it is imported

import msgspec
import numpy as np
import polars as pl
from rich.console import Console
from rich.progress import Progress

from benchmarks.family import KINDS, Product, family, landmarks_of, made
from benchmarks.tables import put, table_of
from features.users.spec import FeatureSpec
from online_models.catalog import LIVE, MIX
from online_models.nowcast import judged
from online_models.quality import Tally
from online_models.reliability import reliability
from online_models.trainer import TrainerSettings
from stream.backtest.log import key_events
from stream.backtest.replay import Replay, Result

MOST = 0.015
"""Excess that is asked at most."""
RAW_MEAN = f"{MIX}, raw"
HEADS = ("product", "users", "H, d", "landmarks", "n", "churned", "stated", "AUC", "ECE", "floor", "excess", "of the mean alone", "chance")


class Graded(msgspec.Struct, frozen=True):
    """What was found of one product, from H + G after its change of regime.

    Attributes
    ----------
    n : int
        Landmarks graded.
    churned, stated : float
        Share that churned, mean of what was served.
    mean_alone : float
        Excess of the mean of the learners, with no level over it.
    chance : float
        How often a perfect forecaster would be above `MOST`.
    """

    product: Product
    n: int
    churned: float
    stated: float
    auc: float
    ece: float
    floor: float
    mean_alone: float
    chance: float

    @property
    def excess(self) -> float:
        """How much of the error is more than chance."""
        return self.ece - self.floor

    @property
    def holds(self) -> bool:
        """Whether the level holds."""
        return self.excess <= MOST

    @property
    def cells(self) -> tuple[str, ...]:
        """As a row of the table."""
        row = self.product
        named = (row.name, f"{row.users:,}", str(row.horizon), "daily" if row.daily else "active days", f"{self.n:,}")
        figures = (self.churned, self.stated, self.auc, self.ece, self.floor, self.excess, self.mean_alone, self.chance)
        return *named, *(f"{figure:.3f}" for figure in figures)


class Layered(Replay):
    """Gives away what each layer said of the snapshots whose labels are known."""

    def said(self, layer: str, predictions: pl.DataFrame) -> pl.Series:
        """Return what a layer said of each prediction, NaN where it said nothing."""
        place = self._layers.index(layer)
        rows = [self._book.rows[key] for key in zip(predictions["user"].to_list(), predictions["landmark_ms"].to_list(), strict=True)]
        return pl.Series(layer, [self._book.layers[row][place] for row in rows], pl.Float64)


def played(row: Product, kind: type[Layered] = Layered) -> tuple[Result, Layered]:
    """Backtest one product."""
    history, definition = made(row), row.definition
    asked = landmarks_of(row, history)
    spec = FeatureSpec(
        key_events=key_events(history), lateness_ms=0, definitions=(definition,), landmarks="daily" if asked is None else "asked"
    )
    settings = TrainerSettings({definition.name: definition.horizon_ms}, models=LIVE, judged=judged((definition,), daily=row.daily))
    replay = kind(history, spec, settings, asked)
    return asyncio.run(replay.run(lambda _done: None)), replay


def graded(row: Product, kind: type[Layered] = Layered) -> Graded:
    """Backtest one product and grade what was served after the change."""
    result, replay = played(row, kind)
    every = result.predictions.with_columns(replay.said(RAW_MEAN, result.predictions))
    after = every.filter(pl.col("landmark_ms") >= row.graded_from_ms)
    labels, served, users = after["label"].to_numpy(), after["score"].to_numpy(), after["user"].to_numpy()
    found, alone = reliability(labels, served, users), reliability(labels, after[RAW_MEAN].to_numpy(), users)
    tally = Tally()
    tally.add(labels, served)
    return Graded(
        row, len(labels), float(labels.mean()), float(served.mean()), tally.auc, found.ece, found.floor, alone.excess, found.chance(MOST)
    )


def in_words(found: Sequence[Graded]) -> list[str]:
    """Return lines on all of them, on each kind, and on those with a low base rate."""
    held, alone = (sum(holds) for holds in zip(*((one.holds, one.mean_alone <= MOST) for one in found), strict=True))
    lines = [
        f"{held} of {len(found)} hold (excess at most {MOST}), {alone} would with the mean of the learners alone.",
        f"A perfect forecaster would be above it in {sum(one.chance for one in found):.1f} of them.",
    ]
    for kind in KINDS:
        some = [one for one in found if one.product.kind == kind]
        if some:
            worst = max(some, key=lambda one: one.excess)
            lines.append(
                f"{kind}: {sum(one.holds for one in some)} of {len(some)}, median excess {np.median([one.excess for one in some]):.3f}, the worst "
                f"{worst.product.name} with {worst.excess:.3f}."
            )
    rare = [one for one in found if one.product.base <= 0.04 and one.n]
    if rare:
        lines.append(
            f"Base rate .02 to .04: {sum(one.holds for one in rare)} of {len(rare)}; floors {min(one.floor for one in rare):.3f} to "
            f"{max(one.floor for one in rare):.3f}, ECE at most {max(one.ece for one in rare):.3f}."
        )
    return lines


def main() -> None:
    """Play all products, or those asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", default="", help="part of a name")
    parser.add_argument("--write", action="store_true", help="put the table into benchmarks/RESULTS.md")
    options = parser.parse_args()
    rows = [row for row in family() if options.only in row.name]
    if not rows:
        raise SystemExit(f"no product's name has {options.only!r} in it; kinds: {', '.join(KINDS)}")
    console, found, began = Console(), [], time.perf_counter()
    with Progress(console=console) as progress:
        task = progress.add_task("products", total=len(rows))
        for row in rows:
            found.append(graded(row))
            progress.console.print("  ".join(found[-1].cells), style="" if found[-1].holds else "bold red", highlight=False)
            progress.advance(task)
    lines = [*in_words(found), f"Played in {time.perf_counter() - began:,.0f} s."]
    for line in lines:
        console.print("- " + line, highlight=False)
    if options.write:
        put("products", "\n".join(f"- {line}" for line in lines) + "\n\n" + table_of(HEADS, (one.cells for one in found)))


if __name__ == "__main__":
    main()
