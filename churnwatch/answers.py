"""What the API answers, as types: the server writes them, the client reads them, and the OpenAPI document is made from them.

Times are milliseconds since the epoch, risks are probabilities from 0 to 1. A field that is not known is null. Fields may be added; a reader ignores
those that it does not know.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from msgspec import Meta, Struct

Ms = Annotated[int, Meta(description="milliseconds since the epoch")]
Band = Literal["critical", "high", "elevated", "low"]
Sort = Literal["risk", "value", "newest", "left"]
Share = Annotated[float, Meta(ge=0, le=1)]


class ReasonCode(Struct, frozen=True):
    """A reason for programs: what is so now, and what is usual for this user."""

    code: Annotated[str, Meta(description="names what is said; a code never changes its meaning")]
    now: Annotated[float, Meta(description="in `unit`")]
    usual: Annotated[float | None, Meta(description="in `unit`; null where it is not known")]
    unit: str


class Risk(Struct, frozen=True, kw_only=True):
    """One user by one churn definition, as the engine's last commit has it."""

    user: str
    definition: Annotated[str, Meta(description="the churn definition, in the settings' words")]
    known: Annotated[bool, Meta(description="whether any event of this user was ever counted")]
    at_risk: Annotated[bool, Meta(description="whether an alert is open. False as soon as one event of theirs is counted after it opened")]
    alert_id: Annotated[
        str | None, Meta(description="the open alert, as in the topic `alerts`; use it as the idempotency key of what you send")
    ]
    risk: Annotated[
        Share | None, Meta(description="chance of churn as last stated; null before the first score, a day after the first event")
    ]
    threshold: Annotated[Share, Meta(description="the least risk that opens an alert")]
    valid_until_ms: Annotated[int | None, Meta(description="end of the alert's horizon: after it no win-back makes sense")]
    as_of_ms: Annotated[int | None, Meta(description="event time of the engine, as all pages show it: every landmark before it is judged")]
    counted_until_ms: Annotated[
        int | None, Meta(description="every event of this user that Kafka received before this time is counted in this answer")
    ]
    model_version: Annotated[int | None, Meta(description="the model that stated the risk; 0 is the rule")]
    reasons: Annotated[
        list[str], Meta(description="why the alert was opened, as sentences; empty without an open alert, and in the first moment of one")
    ]
    reason_codes: Annotated[list[ReasonCode], Meta(description="the same for programs, in the same order")]


class Risks(Struct, frozen=True):
    """Several users, in the order in which they were asked for."""

    risks: list[Risk]


class AtRisk(Struct, frozen=True, kw_only=True):
    """One person on the list: an alert that is open."""

    user: str
    definition: str
    alert_id: Annotated[str, Meta(description="as in the topic `alerts`")]
    risk: Annotated[Share, Meta(description="chance of churn as last stated")]
    band: Band
    channel: Annotated[str, Meta(description="acquisition channel; `none` where none is known, `other` for one that is not configured")]
    worth: Annotated[float | None, Meta(description="what they spend in 90 days at their pace so far; null where no event brings money")]
    value: Annotated[float | None, Meta(description="value at risk: `risk` times `worth`")]
    last_active_ms: int | None
    opened_ms: Annotated[int, Meta(description="event time of the landmark at which the alert was opened")]
    valid_until_ms: Annotated[int, Meta(description="end of its horizon")]
    reasons: Annotated[list[str], Meta(description="why, as sentences, the strongest first")]
    reason_codes: Annotated[list[ReasonCode], Meta(description="the same for programs, in the same order")]


class AtRiskPage(Struct, frozen=True, kw_only=True):
    """A part of the list."""

    as_of_ms: Annotated[int | None, Meta(description="event time of the engine")]
    total: Annotated[int, Meta(description="people who pass the filters, on all pages")]
    people: list[AtRisk]
    next_cursor: Annotated[str | None, Meta(description="`cursor` of the next page; null on the last one")]


class Sums(Struct, frozen=True, kw_only=True):
    """What the people who pass the filters add up to."""

    as_of_ms: Annotated[int | None, Meta(description="event time of the engine")]
    people: Annotated[int, Meta(description="how many are at risk")]
    leaving: Annotated[float, Meta(description="how many of them are likely to leave if nothing is done: the sum of their risks")]
    plus_minus: Annotated[float, Meta(description="half the width of its interval of 95%, if the risks are right")]
    value: Annotated[float | None, Meta(description="value at risk of all of them; null where nobody's is known")]
    spenders: Annotated[int, Meta(description="how many of them have ever spent anything")]
    judged: Annotated[int, Meta(description="of how many of them that is known")]
    bands: Annotated[dict[str, int], Meta(description="how many are in each band of risk")]
    reasons: Annotated[dict[str, int], Meta(description="how many have a reason about what, the most frequent first")]


class Changed(Struct, frozen=True):
    """There is another list."""

    version: Annotated[
        str, Meta(description="differs whenever the list does, and says nothing else; another process of the page has others")
    ]


class Version(Struct, frozen=True, kw_only=True):
    """The model that serves one definition."""

    definition: str
    model: Annotated[str, Meta(description='its name; "cadence", the rule, before a learned one is better')]
    version: Annotated[int, Meta(description="0 is the rule")]
    learned_until_ms: Annotated[int | None, Meta(description="event time up to which it has learned; null for the rule")]
    labels: Annotated[int, Meta(description="outcomes that it has learned from")]
    churned: Annotated[int, Meta(description="how many of these had left")]


class Model(Struct, frozen=True):
    """Which model says the risks, by definition."""

    as_of_ms: int | None
    definitions: list[Version]


class Data(Struct, frozen=True, kw_only=True):
    """How fresh and how complete the data is."""

    as_of_ms: Annotated[int | None, Meta(description="event time of the engine")]
    newest_ms: Annotated[int | None, Meta(description="event time of the newest event")]
    answered_ms: Annotated[int, Meta(description="when Redis answered last, by this server's clock")]
    reached: Annotated[bool, Meta(description="whether Redis answered; if not, everything here is what it answered last")]
    partitions: int
    followed: Annotated[int, Meta(description="partitions of which anything was ever counted")]
    unreadable: Annotated[list[int], Meta(description="partitions of which nothing can be said; all else here is without them")] = []
    outcomes: Annotated[
        dict[str, int], Meta(description="records taken since the beginning, by outcome: ok, late, duplicate, and why others were rejected")
    ]


class Event(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One event: somebody did something."""

    user: Annotated[str, Meta(min_length=1, max_length=256, description="the user's id, at most 256 bytes of UTF-8")]
    ts: Annotated[int | str, Meta(description="when: milliseconds since the epoch, or RFC 3339 with a zone")]
    type: Annotated[str, Meta(description="what happened, such as `click` or `purchase`")]
    event_id: Annotated[
        str | None,
        Meta(description="the same for each retry; without one, an event of the same user, ts, type, value and item is the same event"),
    ] = None
    value: Annotated[float | None, Meta(description="a finite number; money for events of revenue")] = None
    item: str | None = None
    session: str | None = None
    channel: Annotated[str | None, Meta(description="acquisition channel")] = None
    props: Annotated[dict[str, Any] | None, Meta(description="anything; not kept")] = None


class Verdict(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What became of one event."""

    status: Literal["accepted", "rejected"]
    event_id: Annotated[str | None, Meta(description="its id; a retry has the same")] = None
    reason: Annotated[str | None, Meta(description="why it was rejected")] = None
    field: Annotated[str | None, Meta(description="the field at fault")] = None
    says: Annotated[str | None, Meta(description="the reason in words")] = None


class Batch(Struct, frozen=True, kw_only=True):
    """What became of a batch: accepted events are in Kafka, on as many replicas as the topic asks for."""

    accepted: int
    rejected: int
    events: Annotated[list[Verdict], Meta(description="in the order of the batch")]


class Fault(Struct, frozen=True):
    """One thing that is wrong with a request."""

    where: Annotated[str, Meta(description='such as "query.sort" or "body.users[3]"')]
    says: str


class Problem(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """An error, as RFC 9457 has it."""

    type: Annotated[str, Meta(description="names the kind of problem for programs")]
    title: str
    status: int
    detail: Annotated[str, Meta(description="what is wrong here, and what to do")]
    errors: list[Fault] = []
