"""Which pages are there to be seen, and in which states of the world? One row each; `python -m tests.web.pictures` goes through them."""

from __future__ import annotations

from tests.web.shots import Page

STATES = ("day_one", "warming", "silent", "redis_down")

PAGES: tuple[Page, ...] = (
    Page("at-risk", "/at-risk", critical=True),
    Page("data", "/data", critical=True),
    *(Page("at-risk", "/at-risk", state) for state in STATES),
    *(Page("data", "/data", state) for state in STATES),
)
