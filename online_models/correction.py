"""What is laid over the mix, the plain mean of the learners' risks: two corrections of its level.

No learner is weighted by how well it did. Losses of a horizon ago tell members apart less well than they seem to, and weights by them did harm on
most logs (docs/learning.md). The mean is corrected in log-odds::

    stated = sigmoid(log_odds(mean) + worth[0] * level.shift) ** exp(worth[1] * nowcast.shift)

`level` follows matured labels (`online_models.level`), `nowcast` follows what users did within a day (`online_models.nowcast`). How much either
has been right so far is its worth (`online_models.worth`), which can go to zero.
"""

from __future__ import annotations

from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt

from online_models.level import Level, LevelState
from online_models.nowcast import WEAK_PULL, Nowcast, NowcastState
from online_models.plain import read
from online_models.scorer import log_odds, platt
from online_models.worth import Worth, WorthState


class CorrectionState(msgspec.Struct, frozen=True):
    """What a `Correction` goes on from after a restart."""

    level: LevelState
    worth: WorthState
    nowcast: NowcastState | None


class Correction:
    """The corrections of the mix's level.

    Parameters
    ----------
    horizon_ms : int
        The definition's horizon, ms.
    watched : bool
        Whether early outcomes are read (`online_models.nowcast.judged`).
    """

    def __init__(self, horizon_ms: int, *, watched: bool) -> None:
        self._level, self._worth = Level(horizon_ms), Worth(horizon_ms)
        self.nowcast = Nowcast(horizon_ms, WEAK_PULL) if watched else None

    @property
    def calibration(self) -> tuple[float, float, float]:
        """Return slope, shift and power for `online_models.scorer.platt`."""
        level, early = self._worth.worth.tolist()
        return 1.0, level * self._level.shift, float(np.exp(early * self._early))

    @property
    def worth(self) -> tuple[float, float]:
        """How much the level by labels and the one by early outcomes have been worth so far, each from 0 to 1."""
        level, early = self._worth.worth.tolist()
        return level, early

    @property
    def _early(self) -> float:
        return 0.0 if self.nowcast is None else self.nowcast.shift

    def whole(self, raw: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        """Return raw risks, (n,), as they would be if the corrections were taken whole: the first, and then both, float32 (n, 2).

        Kept with the scores of a snapshot, they say later what the corrections were.
        """
        level = self._level.shift
        return np.column_stack([platt(raw, 1.0, level), platt(raw, 1.0, level, float(np.exp(self._early)))])

    def seen(self, landmark_ms: int, raw: float, silent: bool) -> None:
        """Take in whether a user was silent right after a landmark, with the raw risk of it."""
        if self.nowcast is not None:
            self.nowcast.seen(landmark_ms, raw, silent)

    def look(self, now_ms: int, *, early: bool = False) -> None:
        """Set the level anew as of this time (ms); with `early` the nowcast too."""
        self._level.look(now_ms)
        if early and self.nowcast is not None:
            self.nowcast.look(now_ms, 1.0, self._level.shift)

    def matured(
        self,
        landmark_ms: npt.NDArray[np.int64],
        raw: npt.NDArray[np.float32],
        whole: npt.NDArray[np.float32],
        silent: npt.NDArray[np.float32],
        labels: npt.NDArray[np.uint8],
        now_ms: int,
    ) -> None:
        """Take in matured labels, (n,), with what was said at their landmarks: raw risks, (n,), what `whole` gave, (n, 2), and early outcomes, (n,), or NaN."""
        odds, one, both = log_odds(raw), log_odds(whole[:, 0]), log_odds(whole[:, 1])
        self._worth.learn(landmark_ms, odds, np.column_stack([one - odds, both - one]), labels)
        self._level.learn(landmark_ms, odds, labels)
        self._level.look(now_ms)
        known = ~np.isnan(silent)
        if self.nowcast is not None and known.any():
            self.nowcast.matured(odds[known] + self._level.shift, silent[known])

    def state(self) -> CorrectionState:
        """Return all that a restarted correction goes on from."""
        return CorrectionState(self._level.state(), self._worth.state(), None if self.nowcast is None else self.nowcast.state())

    def restore(self, state: Any) -> None:
        """Go on from a state.

        Raises
        ------
        ValueError
            If it is not the state of such a correction.
        """
        one = read(state, CorrectionState)
        if (one.nowcast is None) != (self.nowcast is None):
            raise ValueError("the checkpoint reads early outcomes and this configuration does not, or the other way round")
        self._level.restore(one.level)
        self._worth.restore(one.worth)
        if self.nowcast is not None:
            self.nowcast.restore(one.nowcast)
