"""What the past answers with: plain, typed values, and nothing of the database."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from insights.past.bands import BandName, band_of
from stream.alerts.message import ReasonCode

Cause = Literal["returned", "horizon"]


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertRow:
    """One alert, with what is known of it by now.

    Attributes
    ----------
    partition : int
        The shard.
    risk, threshold : float
        Stated risk of leaving, 0 to 1, and what it had to reach.
    landmark_ms, valid_until_ms : int
        When the silence was judged, and the end of the horizon; event time, ms.
    scored_ms : int
        The broker's time of the record that caused the alert, ms.
    model, model_version : str, int
        Who stated the risk; version 0 is the rule.
    reasons : list of str
        In words, English.
    reason_codes : list of ReasonCode
        The same for programs; empty for alerts that were opened before there were codes.
    ended_ms : int or None
        When they came back, or when the horizon ended; event time, ms. None while the alert is open.
    cause : {"returned", "horizon"} or None
        Why it ended.
    really_left : bool or None
        What came true; None until the label has matured, which is after the horizon.
    change_no : int
        Number of its newest change.
    """

    alert_id: str
    user: str
    definition: str
    partition: int
    risk: float
    threshold: float
    landmark_ms: int
    valid_until_ms: int
    scored_ms: int
    model: str
    model_version: int
    reasons: list[str]
    reason_codes: list[ReasonCode]
    ended_ms: int | None
    cause: Cause | None
    really_left: bool | None
    change_no: int

    @property
    def band(self) -> BandName:
        """The band of its risk."""
        return band_of(self.risk)


@dataclass(frozen=True, slots=True)
class RiskPoint:
    """What was stated of a user at a landmark.

    Attributes
    ----------
    landmark_ms : int
        Event time, ms.
    risk : float
        0 to 1.
    model_version : int
        Version of the model that stated it; 0 is the rule.
    really_left : bool or None
        What came true; None until the label has matured.
    """

    landmark_ms: int
    risk: float
    model_version: int
    really_left: bool | None


@dataclass(frozen=True, slots=True)
class DayOfAlerts:
    """What happened to alerts on a local day: how many were opened (`flagged`), ended by a return or by their horizon, and open when it ended."""

    day: int
    open_at_end: int
    flagged: int
    came_back: int
    expired: int


@dataclass(frozen=True, slots=True)
class Judged:
    """Stated risk against what came true.

    Attributes
    ----------
    n : int
        How many whose time is up.
    said : float
        Their mean stated risk, 0 to 1; 0 if there are none.
    left : int
        How many of them really left.
    """

    n: int
    said: float
    left: int


@dataclass(frozen=True, slots=True)
class JudgedBand(Judged):
    """The same, of flagged people in a band."""

    band: BandName


@dataclass(frozen=True, slots=True)
class JudgedDay(Judged):
    """The same, of everybody whose landmark was on a local day."""

    day: int


@dataclass(frozen=True, slots=True)
class JudgedRisk(Judged):
    """The same, of everybody whose stated risk was in [low, high), or for the last one in [low, high]."""

    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Labels:
    """How many outcomes are known: of people who left, and of people who stayed."""

    left: int
    stayed: int


@dataclass(frozen=True, slots=True)
class CameBack:
    """Of `n` flagged people whose time is up, so many came back before it was."""

    n: int
    came_back: int


@dataclass(frozen=True, slots=True)
class PartitionRead:
    """How far a partition has been read: the next offset, and where it ended when that was last written."""

    topic: str
    partition: int
    next_offset: int
    end_offset: int

    @property
    def lag(self) -> int:
        """Records that are not read yet."""
        return max(0, self.end_offset - self.next_offset)
