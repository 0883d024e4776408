"""What a learner goes on from after a restart, as plain data."""

from __future__ import annotations

import msgspec

from online_models.calibration import CalibratorState
from online_models.correction import CorrectionState
from online_models.drift import WatchState
from online_models.judged import Day, Judged
from online_models.level import LevelState
from online_models.memory import MemoryState
from online_models.nowcast import NowcastState
from online_models.plain import Count, Millis
from online_models.quality import TallyState
from online_models.window import Rows


class Numbers(msgspec.Struct, frozen=True):
    """The attributes of a learner that are plain numbers."""

    learned: Count
    churned: Count
    steps: Count
    turns: Count
    looked_ms: Millis
    fresh: Count
    version: Count
    published: Count
    until_ms: Millis


class LearnerState(msgspec.Struct, frozen=True):
    """What a `online_models.learner.Learner` goes on from after a restart. Each candidate reads its own part; arrays are bytes, with a row for each example."""

    names: list[str]
    numbers: Numbers
    candidates: dict[str, msgspec.Raw]
    memory: MemoryState
    rule: CalibratorState
    rule_nowcast: NowcastState | None
    levels: dict[str, LevelState]
    mix: CorrectionState
    standing: tuple[str, str, Count, bool]
    watches: tuple[WatchState, WatchState]
    windows: tuple[Rows, Rows]
    """Labels, stated scores and vectors: first those of the window, then those of the trial."""
    waiting: list[tuple[bytes, bytes, bytes, bytes]]
    """Landmarks (int64), vectors, labels and kept scores that wait for a full batch."""
    newest: bytes
    progress: dict[str, TallyState]
    totals: dict[str, TallyState]
    days: dict[Day, Judged] = {}
