"""The page Metrics, put together from the catalog: what every number means, in which unit it is, and where it is shown."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from insights.analyses.plain import LONG_COLUMNS, Entry
from insights.words import Words

SHOWN: Mapping[str, tuple[tuple[str, str], ...]] = {
    "retention": (("/today", "Today"), ("/retention", "Retention")),
    "lifecycle": (("/today", "Today"), ("/groups", "Groups")),
    "daily_states": (("/today", "Today"),),
    "funnel": (("/today", "Today"), ("/journeys", "Journeys")),
    "paths": (("/journeys", "Journeys"),),
    "after_drop_off": (("/journeys", "Journeys"),),
    "paths_into_silence": (("/today", "Today"), ("/journeys", "Journeys")),
    "rfm": (("/today", "Today"), ("/groups", "Groups")),
    "clusters": (("/groups", "Groups"),),
    "value": (("/groups", "Groups"),),
    "feature_use": (("/features", "Features"),),
    "releases": (("/changes", "Changes"),),
    "retention_forecast": (("/changes", "Changes"),),
}
"""Pages on which an analysis is shown besides Explore, which shows all: address, and key of the name."""


class Meant(NamedTuple):
    """One number or column: what people call it, what programs call it, what it means, and its unit."""

    name: str
    code: str
    means: str
    unit: str


class Section(NamedTuple):
    """One analysis: its name, what it answers, where it is shown, its numbers, and its columns."""

    key: str
    title: str
    asks: str
    places: list[tuple[str, str]]
    metrics: list[Meant]
    columns: list[Meant]


class Page(NamedTuple):
    """What the template shows; see `insights/web/templates/dictionary.html`.

    Attributes
    ----------
    ground : list of (name, value)
        What holds for all numbers: zone, first day of weeks, what activity is, how long a silence is churn.
    shared : list of Meant
        Columns that all answers have.
    """

    q: str
    ground: list[tuple[str, str]]
    shared: list[Meant]
    sections: list[Section]


def page_of(entries: Iterable[Entry], ground: list[tuple[str, str]], q: str, w: Words) -> Page:
    """Put the page together: all that is in the catalog, or what holds the words that were looked for."""
    wanted = q.casefold().split()

    def fits(one: Meant | Section) -> bool:
        text = " ".join(part for part in one if isinstance(part, str)).casefold()
        return all(word in text for word in wanted)

    sections = []
    for entry in entries:
        whole = _section(entry, w)
        if fits(whole):
            sections.append(whole)
            continue
        found = whole._replace(metrics=[one for one in whole.metrics if fits(one)], columns=[one for one in whole.columns if fits(one)])
        if found.metrics or found.columns:
            sections.append(found)
    shared = [column_meant(name, kind, w) for name, kind in LONG_COLUMNS]
    return Page(q, ground, [one for one in shared if fits(one)], sections)


def _section(entry: Entry, w: Words) -> Section:
    places = [(path, w.t(name)) for path, name in SHOWN.get(entry.name, ())]
    return Section(
        entry.name,
        w.t(f"analysis.{entry.name}"),
        w.t(f"analysis.{entry.name}.asks"),
        [*places, (f"/explore?analysis={entry.name}", w.t("Explore"))],
        [Meant(w.t(f"metric.{one.name}"), one.name, w.t(f"metric.{one.name}.is"), w.t(f"unit_of.{one.kind}")) for one in entry.metrics],
        [column_meant(name, kind, w) for name, kind in entry.columns],
    )


def column_meant(name: str, kind: str, w: Words) -> Meant:
    """Return what a column means."""
    return Meant(w.t(f"column.{name}"), name, w.t(f"column.{name}.is"), w.t(f"unit_of.{kind}"))
