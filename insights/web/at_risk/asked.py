"""What was asked of the page At risk? The filters of its address, as closed sets, and how they are offered."""

from __future__ import annotations

from collections.abc import Sequence

from fastapi import Request

from features.users.spec import FeatureSpec
from insights.live.board import TOPICS
from insights.live.listing import SORTS, Filters
from insights.live.people import channel_names
from insights.past.bands import NAMES
from insights.web.at_risk.rows import channel_named, topic_said
from insights.web.filters import Pick, number_of, one_of, text_of
from insights.web.saying import Saying
from insights.words import Words

ALL_TOPICS: tuple[str, ...] = tuple(dict.fromkeys(TOPICS.values()))
"""What reasons may be about, in the order of the catalog."""
PARAMETERS = {"definition": "definition", "channel": "channel", "band": "band", "topic": "reason", "text": "q"}
"""Name of each filter in the address."""


def filters_of(request: Request, spec: FeatureSpec, *, persons: bool) -> Filters:
    """Read the filters of an address.

    Parameters
    ----------
    persons : bool
        Whether whoever asks may see persons; otherwise nobody is searched for.

    Raises
    ------
    WrongFilter
        If one has a value that it does not have.
    """
    definitions = tuple(definition.name for definition in spec.definitions)
    return Filters(
        definition=one_of(request, "definition", definitions, definitions[0]),
        channel=one_of(request, "channel", channel_names(spec), ""),
        band=one_of(request, "band", NAMES, ""),
        topic=one_of(request, "reason", ALL_TOPICS, ""),
        text=text_of(request, "q") if persons else "",
        sort=one_of(request, "sort", SORTS, SORTS[0]),
    )


def part_asked(request: Request) -> int:
    """Return which page of the list is asked for, from 1 on. Raises WrongFilter for anything else."""
    return max(1, number_of(request, "page", 1))


def picks(wanted: Filters, topics: Sequence[str], say_it: Saying) -> list[Pick]:
    """Return the filters as a form offers them.

    Parameters
    ----------
    topics : sequence of str
        What the reasons of the people on the list are about: no other one is offered.
    """
    w, spec = say_it.w, say_it.spec
    definitions = [(one.name, f"{one.name} · {definition_said(one.horizon_ms, w)}") for one in spec.definitions]
    offered = dict.fromkeys([*topics, *([wanted.topic] if wanted.topic else [])])
    return [
        *([Pick("definition", w.t("Definition"), definitions, wanted.definition, "")] if len(definitions) > 1 else []),
        Pick("channel", w.t("Channel"), [(one, channel_named(one, w)) for one in channel_names(spec)], wanted.channel, w.t("All channels")),
        Pick("band", w.t("Risk bands"), [(one, w.t(f"band.{one}")) for one in NAMES], wanted.band, w.t("All bands")),
        Pick("reason", w.t("Reason"), [(one, topic_said(one, say_it)) for one in offered], wanted.topic, w.t("at_risk.all_reasons")),
        Pick("sort", w.t("Sort"), [(one, w.t("at_risk.sort", by=w.t(f"sort.{one}"))) for one in SORTS], wanted.sort, ""),
    ]


def definition_said(horizon_ms: int, w: Words) -> str:
    """Say what a definition looks at."""
    return w.t("at_risk.horizon", duration=w.duration(horizon_ms / 1000))
