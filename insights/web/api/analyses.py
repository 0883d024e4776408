"""Every analysis of the history, for programs: one address each, made from the catalog; the rows are those of the command line and of the page.

An answer is waited for a moment, and is 202 while it is still computed: the same request again, after Retry-After, gets it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Annotated, Any, Literal

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from insights.analyses.plain import Entry, Found, Known
from insights.asked.child import NoAnswer
from insights.asked.crew import WORDS
from insights.asked.messages import Faulted, Reason
from insights.asked.questions import cell_of, entry_named, given_of, type_of
from insights.web.api.behind import Behind
from insights.web.api.body import UNREADABLE, body_of, read_as
from insights.web.api.operation import NO_STORE, Example, Nothing, Operation, asked_as
from insights.web.api.problems import Refused, wrong
from insights.web.who import Forbidden, Scope, who_asks
from insights.words import words
from insights.written.rows import as_of_of
from stream.faults import UsageFault

AGGREGATES: Scope = "read:aggregates"
PEOPLE: Scope = "read:people"
MOST_BYTES = 64 << 10
MOST_PEOPLE = 100_000
WAIT_S = 10.0
KINDS_OF: Mapping[Reason, str] = {
    "usage": "invalid", "no_history": "no-history", "too_big": "too-big", "too_long": "too-big", "ended": "too-big", "failed": "internal",
    "busy": "busy", "cancelled": "busy",
}  # fmt: skip
PROBLEMS = ("no-history", "too-big", "busy")


class Wanted(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How an answer is wanted."""

    wait: Annotated[float, msgspec.Meta(ge=0, le=60, description="seconds to wait for an answer that is not there yet")] = WAIT_S
    users: Annotated[
        str | None,
        msgspec.Meta(
            description="the people behind one cell in place of the rows, as in cohort=2026-03-02,k=7; needs the scope read:people"
        ),
    ] = None


class AsOf(msgspec.Struct, frozen=True):
    """As of what an answer holds."""

    watermark: datetime | None
    offsets: dict[str, int]
    zone: str
    week_start: str
    late: int
    rejected: int
    complete_from: datetime | None
    left_censored: int


class Analysed(msgspec.Struct, frozen=True):
    """What an analysis found: rows in the long form, or the people behind a cell.

    `state` is "refreshing" where the history has gone on and a newer answer is made behind this one.
    """

    analysis: str
    state: Literal["ready", "refreshing", "running"]
    parameters: dict[str, Any]
    as_of: AsOf | None = None
    rows: list[dict[str, Any]] | None = None
    users: list[dict[str, Any]] | None = None
    notes: list[str] = []
    running_s: float = 0.0


class Said(msgspec.Struct, frozen=True):
    """A text in each language."""

    en: str
    zh: str


class Asks(msgspec.Struct, frozen=True):
    """One thing that can be asked."""

    name: str
    reads: str
    default: Any
    required: bool
    choices: list[str]
    says: Said


class Says(msgspec.Struct, frozen=True):
    """A metric or a column: what it is called, and of which kind its values are."""

    name: str
    kind: str
    says: Said


class Listed(msgspec.Struct, frozen=True):
    """One analysis of the catalog."""

    name: str
    title: Said
    question: Said
    parameters: list[Asks]
    metrics: list[Says]
    columns: list[Says]
    has_people: bool


class Catalog(msgspec.Struct, frozen=True):
    """All analyses."""

    analyses: list[Listed]


def _said(key: str) -> Said:
    return Said(words("en").t(key), words("zh").t(key))


def listed(one: Entry) -> Listed:
    """Return an analysis as programs see it."""
    return Listed(
        name=one.name,
        title=_said(f"analysis.{one.name}"),
        question=_said(f"analysis.{one.name}.asks"),
        parameters=[Asks(p.name, p.reads, p.default, p.required, list(p.choices), _said(f"parameter.{p.name}")) for p in one.parameters],
        metrics=[Says(metric.name, metric.kind, _said(f"metric.{metric.name}")) for metric in one.metrics],
        columns=[Says(name, kind, _said(f"column.{name}")) for name, kind in one.columns],
        has_people=one.has_people,
    )


async def entries_of(behind: Behind) -> Mapping[str, Entry]:
    """Return the catalog.

    Raises
    ------
    Refused
        No process could be started to say it.
    """
    try:
        return await asyncio.to_thread(behind.parts.asked.catalog)
    except NoAnswer as error:
        raise Refused("busy", WORDS[error.reason]) from None


async def analyses(behind: Behind, _request: Request, _asked: Nothing) -> Catalog:
    """See what can be asked of the history: each analysis with its parameters, its metrics and its words in English and Chinese."""
    return Catalog([listed(one) for one in (await entries_of(behind)).values()])


async def _analysis(request: Request) -> Response:
    behind: Behind = request.app.state.behind
    if not who_asks(request).may(AGGREGATES):
        raise Forbidden(AGGREGATES)
    entries = await entries_of(behind)
    try:
        entry = entry_named(request.path_params["name"], entries)
    except UsageFault as error:
        raise Refused("not-found", str(error)) from None
    pairs = request.query_params.multi_items()
    wanted = asked_as(Wanted, {name: value for name, value in pairs if name in Wanted.__struct_fields__})
    given = given_of(entry, [(name, value) for name, value in pairs if name not in Wanted.__struct_fields__])
    if request.method == "POST":
        given |= read_as(await body_of(request, MOST_BYTES), msgspec.json.Decoder(dict[str, Any]))
    if wanted.users is not None:
        return await _people(behind, request, entry, given, wanted.users)
    answer = await behind.parts.asked.ask(entry.name, given, persons=who_asks(request).may(PEOPLE), wait_s=wanted.wait)
    if answer.reason is not None:
        raise refused_of(answer.reason, answer.words)
    if answer.result is None:
        said = Analysed(entry.name, "running", answer.parameters or {}, running_s=round(answer.running_s, 1))
        return _json(said, 202, {"Retry-After": "1"})
    return _json(_analysed(answer.result, "refreshing" if answer.state == "refreshing" else "ready"))


async def _people(behind: Behind, request: Request, entry: Entry, given: Mapping[str, object], text: str) -> Response:
    if not who_asks(request).may(PEOPLE):
        raise Forbidden(PEOPLE)
    try:
        cell = cell_of(text, entry)
    except UsageFault as error:
        raise wrong("address.users", str(error)) from None
    people = await behind.parts.asked.people(entry.name, given, cell, MOST_PEOPLE)
    if isinstance(people, Faulted):
        raise refused_of(people.reason, people.words)
    return _json(Analysed(entry.name, "ready", dict(given), _as_of(people.as_of), users=people.rows.dicts()))


def refused_of(reason: Reason, said: str) -> Refused:
    """Return what a program is answered where there is no answer."""
    return Refused(KINDS_OF[reason], said)


def _analysed(found: Found, state: Literal["ready", "refreshing"]) -> Analysed:
    notes = [words("en").t(note.key, **note.values) for note in found.notes]
    return Analysed(found.analysis, state, found.parameters, _as_of(found.as_of), found.rows.dicts(), notes=notes)


def _as_of(known: Known) -> AsOf:
    return AsOf(**as_of_of(known))


def _json(said: Analysed, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    body = msgspec.json.encode(said, enc_hook=str)
    return Response(body, status, {**NO_STORE, **(headers or {})}, "application/json")


ROUTES = (Route("/analyses/{name}", _analysis, methods=["GET", "POST"]),)
"""One route for all of them: the catalog is known when it is asked for the first time."""


def operations_of(entries: Mapping[str, Entry]) -> Sequence[Operation]:
    """Return what the document says of each analysis: asked for by its address, or by a body."""
    return [operation for one in entries.values() for operation in _operations(one)]


def _operations(one: Entry) -> tuple[Operation, Operation]:
    english = words("en")
    asks = type_of(one, lambda p: english.t(f"parameter.{p.name}"))
    query = msgspec.defstruct(f"{asks.__name__}Query", _fields(asks) + _fields(Wanted), frozen=True, kw_only=True)
    row = {
        "metric": one.metrics[0].name,
        "cohort": None,
        "k": None,
        "group": None,
        "n": 0,
        "value": None,
        "low": None,
        "high": None,
        "state": "none",
    }
    as_of = as_of_of(
        Known(watermark=None, offsets={}, zone="UTC", week_start="monday", late=0, rejected=0, complete_from=None, left_censored=0)
    )
    answer = msgspec.to_builtins(Analysed(one.name, "ready", {}, AsOf(**as_of), [row]))
    asked = {p.name: ["open", "purchase"] for p in one.parameters if p.required}

    async def does(_behind: Behind, _request: Request, _asked: Any) -> Response:
        raise NotImplementedError  # `_analysis` answers; this is what the document says

    metrics = ", ".join(f"`{metric.name}`, {english.t(f'metric.{metric.name}.is')}" for metric in one.metrics)
    does.__doc__ = (
        f"{english.t(f'analysis.{one.name}.asks')} Metrics: {metrics}. 202 while it is computed: the same again gets it. "
        f"The people behind a cell need the scope `{PEOPLE}`."
    )
    shared: dict[str, Any] = {
        "path": f"/analyses/{one.name}", "summary": english.t(f"analysis.{one.name}"), "scope": AGGREGATES, "answers": Analysed, "does": does,
        "words": "Rows in the long form: of a metric, in a cohort, after k units, in a group, of n people.",
    }  # fmt: skip
    return (
        Operation(name=one.name, asked=query, example=Example(asked=asked, answer=answer), problems=(*PROBLEMS, "not-found"), **shared),
        Operation(
            name=f"ask_{one.name}", method="POST", asked=Wanted, bodies=(asks,), example=Example(asked={}, body=asked, answer=answer),
            problems=(*PROBLEMS, *UNREADABLE, "not-found"), **shared,
        ),
    )  # fmt: skip


def _fields(kind: type[msgspec.Struct]) -> list[Any]:
    found: list[Any] = []
    for field in msgspec.structs.fields(kind):
        found.append((field.name, field.type) if field.required else (field.name, field.type, field.default))
    return found


OPERATIONS = (
    Operation(
        name="analyses",
        path="/analyses",
        summary="What can be asked of the history",
        scope=AGGREGATES,
        asked=Nothing,
        answers=Catalog,
        words="In the order of docs/analyses.md.",
        example=Example(asked={}, answer={"analyses": []}),
        does=analyses,
        problems=("busy",),
    ),
)
