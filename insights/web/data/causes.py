"""Why were records not usable? By reason, with the field at fault and what such records usually are."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from features.definitions.reason import Reason
from insights.live.letters import Group, Rejected
from insights.web.saying import Saying
from insights.words.data import CAUSES, RENAMED
from stream.shown import visible


class Usual(NamedTuple):
    """What records of one field usually are: the field, the cause, how many of the newest letters, and when the last one came."""

    field: str
    cause: str
    n: str
    newest: str


class Cause(NamedTuple):
    """One reason: in words, how many records, their share of all, and what they usually are."""

    reason: str
    n: str
    share: str
    usual: list[Usual]


def causes_of(totals: Mapping[str, int], rejected: Mapping[Group, Rejected], say_it: Saying) -> list[Cause]:
    """Return the reasons for which records were not applied, the most frequent first.

    Parameters
    ----------
    totals : mapping of outcome to int
        Records since the beginning, by outcome.
    rejected : mapping of (reason, field) to Rejected
        What the newest letters say. Labels are rejected too; they are no records of clicks and not in the totals.
    """
    w, every = say_it.w, sum(totals.values())
    names = {name: n for name, n in totals.items() if name != Reason.ok.name}
    names |= {reason: 0 for reason, _ in rejected if reason not in names}
    return [
        Cause(
            reason_said(name, say_it),
            w.number(n) if n or name in totals else w.number(sum(one.n for (reason, _), one in rejected.items() if reason == name)),
            w.percent(n / every, 2) if n and every else w.percent(None),
            [_usual(field, one, say_it) for (reason, field), one in _largest(rejected) if reason == name],
        )
        for name, n in sorted(names.items(), key=lambda pair: (-pair[1], pair[0]))
    ]


def _largest(rejected: Mapping[Group, Rejected]) -> list[tuple[Group, Rejected]]:
    return sorted(rejected.items(), key=lambda pair: -pair[1].n)


def _usual(field: str | None, one: Rejected, say_it: Saying) -> Usual:
    w = say_it.w
    return Usual(
        visible(field or ""),
        cause_said(one.cause, say_it).replace("`", ""),
        w.t("data.letters", n=one.n),
        w.moment(one.newest_ms, say_it.zone),
    )


def reason_said(name: str, say_it: Saying) -> str:
    """Return a reason in words; one that a newer build gives stays as it is."""
    known = name in Reason.__members__ or name in {"label_invalid", "label_definition"}
    return say_it.w.t(f"reject.{name}") if known else visible(name)


def cause_said(cause: str, say_it: Saying) -> str:
    """Return a usual cause (`stream.shard.causes`) in the reader's language.

    >>> from datetime import UTC
    >>> from features.users.spec import FeatureSpec
    >>> from insights.words import words
    >>> cause_said("sent under another name, userId: name it user", Saying(words("zh"), FeatureSpec(), UTC, "USD", 0))
    '以别的名称 userId 发送：请命名为 user'
    """
    if say_it.w.lang == "en":
        return cause
    if (renamed := RENAMED.fullmatch(cause)) is not None:
        return say_it.w.t("cause.renamed", alias=renamed["alias"], field=renamed["field"])
    return CAUSES.get(cause, cause)
