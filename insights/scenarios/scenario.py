"""A made-up product as data: who uses it, what a visit is, and which causes of leaving were planted. One TOML file beside this one each."""

from __future__ import annotations

from importlib import resources
from typing import Literal

import msgspec

END = "end"
"""Stands among the next steps for the end of the visit."""


class Prop(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A prop that every event carries.

    Attributes
    ----------
    of : str
        `user`: one value for good; `visit`: one a visit; `stage`: 1, 2, ... after so many visits each; `release`: the newest version there is.
    values : dict of str to float
        Value -> weight, for `user` and `visit`.
    visits : int
        For `stage`: visits a stage, at least 1.
    stages : int
        For `stage`: how many there are; who has done the last one stays in it.
    days : dict of str to int
        For `release`: version -> the day of its release.
    """

    of: Literal["user", "visit", "stage", "release"] = "user"
    values: dict[str, float] = {}
    visits: int = 1
    stages: int = 1
    days: dict[str, int] = {}

    @property
    def names(self) -> list[str]:
        """All its values, in order."""
        if self.of == "stage":
            return [str(stage + 1) for stage in range(self.stages)]
        return list(self.days if self.of == "release" else self.values)


class Step(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What can happen in a visit: an event of this type.

    Attributes
    ----------
    next : dict of str to float
        Step, or `end`, -> weight.
    seconds : float
        Mean time until the next step.
    value : float
        Median of the event's value; 0 for none.
    value_by : dict of str to dict of str to float
        Prop -> its value -> factor on the event's value.
    latency_ms : float
        Median of `latency_ms` in the event's props; 0 for none.
    """

    next: dict[str, float]
    seconds: float = 30.0
    value: float = 0.0
    value_by: dict[str, dict[str, float]] = {}
    latency_ms: float = 0.0


class Where(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which events a cause touches: those for which all that is given holds.

    Attributes
    ----------
    step : str
        The event's type.
    props : dict of str to str
        Prop -> the value it has.
    hours : (int, int) or None
        Local hours of the day, the end not included.
    days : (int, int) or None
        Days since the product began, the end not included.
    ever : bool
        Once a user was touched, all their later visits are.
    """

    step: str = ""
    props: dict[str, str] = {}
    hours: tuple[int, int] | None = None
    days: tuple[int, int] | None = None
    ever: bool = False


class Shown(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which analysis and which page show a cause, and what stands first there, clear of what stands second by its interval.

    Attributes
    ----------
    analysis : str
        Its name in the catalog of analyses.
    asks : dict
        Parameters of the analysis, by name.
    metric : str
        The rows to look at, and `k`, if it is given.
    order : str
        Whether the least or the greatest value stands first.
    column : str
        What tells the rows apart.
    first : tuple of str
        Its values in the rows that stand first.
    page : str
        Address of the page on which it is seen, with its filters and the place on it.
    of : str
        What of that page says so: the mark `data-of` of a sentence on what stands out.
    named : tuple of str
        What stands first there, where the page names it otherwise than the analysis.
    """

    analysis: str
    asks: dict[str, str | list[str] | int | bool]
    metric: str
    k: int | None = None
    order: Literal["least", "greatest"] = "least"
    column: str = "group"
    first: tuple[str, ...]
    page: str
    of: str
    named: tuple[str, ...] = ()


class Cause(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A planted cause.

    Attributes
    ----------
    says : dict of str to str
        Language (`en`, `zh`) -> what it is, in one sentence.
    leave : float
        Factor on the chance to leave for good after a visit it touches.
    stop : float
        Chance that the visit ends at a step it touches, 0 to 1.
    latency : float
        Factor on `latency_ms` of the events it touches.
    shown : Shown or None
        Where it is seen.
    """

    name: str
    says: dict[str, str]
    where: Where
    leave: float = 1.0
    stop: float = 0.0
    latency: float = 1.0
    shown: Shown | None = None


class Scenario(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A made-up product.

    Attributes
    ----------
    title : dict of str to str
        Language -> what the product is.
    days, users : int
        Unless told otherwise: how long it goes on, how many join it.
    at_start : float
        Share of the users who join in the first three days; the others join evenly.
    channels : dict of str to float
        Channel -> weight.
    first, start : str
        The step that the first visit begins with, and all others.
    pause_days : float
        Median of the users' mean pauses between visits, days.
    pause_spread : float
        Standard deviation of its logarithm.
    hours : tuple of 24 float
        Weights of the local hours at which visits begin.
    leave : float
        Chance to leave for good after a visit.
    horizon_days : int
        A silence this long is called gone.
    revenue : tuple of str
        Steps whose value is money.
    funnel : tuple of str
        Steps that everybody should take in this order.
    """

    name: str
    title: dict[str, str]
    timezone: str = "UTC"
    days: int = 180
    users: int = 6_000
    at_start: float = 0.4
    channels: dict[str, float]
    props: dict[str, Prop] = {}
    first: str
    start: str
    steps: dict[str, Step]
    pause_days: float
    pause_spread: float = 0.5
    hours: tuple[float, ...]
    leave: float
    horizon_days: int
    revenue: tuple[str, ...] = ()
    funnel: tuple[str, ...]
    causes: tuple[Cause, ...]

    def __post_init__(self) -> None:
        """Raise ValueError for a name that nothing has."""
        if len(self.hours) != 24:
            raise ValueError("hours: 24 weights are asked for")
        told = [self.first, self.start, *self.revenue, *self.funnel, *(one.where.step for one in self.causes if one.where.step)]
        told += [name for step in self.steps.values() for name in step.next if name != END]
        if unknown := sorted(set(told) - set(self.steps)):
            raise ValueError(f"no such step: {', '.join(unknown)}")
        props = [pair for one in self.causes for pair in one.where.props.items()]
        props += [(name, value) for step in self.steps.values() for name, by in step.value_by.items() for value in by]
        for name, value in props:
            if name not in self.props or value not in self.props[name].names:
                raise ValueError(f"no prop {name} with the value {value}")

    def without(self, cause: str) -> Scenario:
        """Return the same product without one of its causes. Raises KeyError when it has none of that name."""
        left = tuple(one for one in self.causes if one.name != cause)
        if len(left) == len(self.causes):
            raise KeyError(cause)
        return msgspec.structs.replace(self, causes=left)


def names() -> list[str]:
    """The scenarios there are.

    >>> names()
    ['community', 'devices', 'ecommerce', 'education', 'hospital', 'transport']
    """
    return sorted(file.name.removesuffix(".toml") for file in resources.files(__package__).iterdir() if file.name.endswith(".toml"))


def load(name: str) -> Scenario:
    """Return a scenario. Raises KeyError when there is none of that name.

    >>> load("education").without("hard_second_course").causes
    ()
    """
    if name not in names():
        raise KeyError(name)
    return msgspec.toml.decode(resources.files(__package__).joinpath(f"{name}.toml").read_bytes(), type=Scenario)


__all__ = ["END", "Cause", "Prop", "Scenario", "Shown", "Step", "Where", "load", "names"]
