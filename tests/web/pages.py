"""Which pages are there to be seen, and in which states of the world? One row each; `python -m tests.web.pictures` goes through them."""

from __future__ import annotations

from tests.web.shots import Page

STATES = ("day_one", "warming", "silent", "redis_down")
PERSON = "/person?q=user-00114"
"""Somebody who is at risk."""

PEOPLE = "/people/rfm?scheme=five&cell.metric=segment_people&cell.group=high_silent"
"""The people behind a number."""
EXPLORED = "/explore?analysis=retention&unit=week&by=channel"
"""One analysis with its answer."""

PAGES: tuple[Page, ...] = (
    Page("at-risk", "/at-risk", critical=True),
    Page("person", PERSON, critical=True),
    Page("today", "/today", critical=True),
    Page("retention", "/retention"),
    Page("journeys", "/journeys"),
    Page("groups", "/groups"),
    Page("features", "/features"),
    Page("changes", "/changes"),
    Page("metrics", "/dictionary"),
    Page("boards", "/boards"),
    Page("board", "/boards/every-monday"),
    Page("board-changed", "/boards/every-monday?edit=1"),
    Page("segments", "/segments"),
    Page("people", PEOPLE),
    Page("explore", "/explore"),
    Page("explore-retention", EXPLORED),
    Page("sql", "/explore/sql"),
    Page("model", "/model", critical=True),
    Page("data", "/data", critical=True),
    Page("at-risk-no-match", "/at-risk?q=nobody-is-called-so"),
    Page("at-risk-viewer", "/at-risk", who="viewer"),
    Page("person-other-definition", f"{PERSON}&definition=no-purchase"),
    Page("person-hostile", "/person?q=%3Cscript%3Ealert(1)%3C/script%3E"),
    Page("person-unknown", "/person?q=nobody-has-this-id"),
    Page("person-search", "/person"),
    Page("more", "/more"),
    Page("access", "/access"),
    Page("password", "/account", who="viewer"),
    Page("sign-in", "/sign-in", who=""),
    Page("forbidden", "/access", who="viewer", status=403),
    Page("wrong-filter", "/at-risk?band=purple", status=422),
    *(
        Page(name, path, state)
        for state in STATES
        for name, path in (("at-risk", "/at-risk"), ("person", PERSON), ("model", "/model"), ("data", "/data"), ("today", "/today"))
    ),
)
