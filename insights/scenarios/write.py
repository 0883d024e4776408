"""Writes what was played: the events as a file that every reader of events takes, and the truth about them."""

from __future__ import annotations

from pathlib import Path

import msgspec
import numpy as np
import polars as pl

from insights.scenarios.play import NOBODY, Played
from insights.scenarios.scenario import Scenario, Shown

FORMS = (".parquet", ".jsonl", ".csv")


class CauseTruth(msgspec.Struct, kw_only=True):
    """What is true of one planted cause: whom it touched, and who would have stayed but for it."""

    name: str
    says: dict[str, str]
    touched: int
    left: int
    shown: Shown | None


class Truth(msgspec.Struct, kw_only=True):
    """What is true of a played scenario.

    Attributes
    ----------
    users, events, left : int
        How many users and events there are, and users who left for good.
    leavers : list of (user, left_ms, cause)
        Who left, ms since the epoch, and the planted cause, or None.
    """

    scenario: str
    title: dict[str, str]
    seed: int
    timezone: str
    users: int
    events: int
    left: int
    causes: list[CauseTruth]
    leavers: list[tuple[str, int, str | None]]


def frame_of(scenario: Scenario, played: Played) -> pl.DataFrame:
    """Return the events in order of time; columns user, ts (ms), type, channel, session, value, event_id, props (JSON text)."""
    order = np.lexsort((played.place, played.user, played.ts))
    known = pl.DataFrame(
        {
            **{name: getattr(played, name)[order] for name in ("user", "visit", "place", "ts", "value", "latency_ms")},
            "type": _named(played.step[order], list(scenario.steps)),
            "channel": _named(played.channel[played.user[order]], list(scenario.channels)),
            **{f"prop {name}": _named(played.props[name][order], prop.names) for name, prop in scenario.props.items()},
        },
        nan_to_null=True,
    )
    told = [pl.concat_str(pl.lit(f'"{name}":"'), f"prop {name}", pl.lit('"')) for name in scenario.props]
    told.append(pl.concat_str(pl.lit('"latency_ms":'), pl.col("latency_ms").cast(pl.Int64)))
    user = pl.concat_str(pl.lit("u"), pl.col("user").cast(pl.String).str.zfill(6))
    session = pl.concat_str(user, pl.lit("-"), "visit")
    return known.select(
        user.alias("user"), "ts", "type", "channel", "value", session=session, event_id=pl.concat_str(session, pl.lit("-"), "place"),
        props=pl.concat_str(pl.lit("{"), pl.concat_str(told, separator=",", ignore_nulls=True), pl.lit("}")),
    )  # fmt: skip


def _named(codes: np.ndarray[tuple[int], np.dtype[np.int64]], names: list[str]) -> pl.Series:
    return pl.Series(codes).replace_strict(list(range(len(names))), names, default=None, return_dtype=pl.String)


def write_events(frame: pl.DataFrame, file: Path) -> None:
    """Write events by the file's ending: .parquet, .csv, or .jsonl with props as objects."""
    if file.suffix == ".parquet":
        frame.write_parquet(file)
    elif file.suffix == ".csv":
        frame.write_csv(file)
    else:
        with file.open("wb") as out:
            for part in frame.iter_slices(200_000):
                out.write(("\n".join(json_lines(part)) + "\n").encode())


def json_lines(frame: pl.DataFrame) -> list[str]:
    """Return a JSON object for each event, as a product would send it."""
    texts = ["user", "type", "channel", "session", "event_id"]
    fields = [pl.concat_str(pl.lit(f'"{name}":"'), name, pl.lit('"')) for name in texts]
    fields += [pl.concat_str(pl.lit(f'"{name}":'), name) for name in ("ts", "value", "props")]
    return frame.select(line=pl.concat_str(pl.lit("{"), pl.concat_str(fields, separator=",", ignore_nulls=True), pl.lit("}")))[
        "line"
    ].to_list()


def truth_of(scenario: Scenario, played: Played, seed: int) -> Truth:
    """Return what is true of the events."""
    leavers = np.flatnonzero(played.left_ms >= 0)
    causes = scenario.causes
    return Truth(
        scenario=scenario.name, title=scenario.title, seed=seed, timezone=scenario.timezone, users=len(played.channel),
        events=len(played.ts), left=len(leavers),
        causes=[
            CauseTruth(
                name=one.name, says=one.says, touched=int(played.touched[:, k].sum()), left=int((played.because == k).sum()),
                shown=one.shown,
            )
            for k, one in enumerate(causes)
        ],
        leavers=[
            (f"u{user:06d}", int(played.left_ms[user]), None if played.because[user] == NOBODY else causes[played.because[user]].name)
            for user in leavers.tolist()
        ],
    )  # fmt: skip
