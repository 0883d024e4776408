"""A page over a history: a made-up shop of `insights/scenarios`, imported as anybody would, beside an app that was played."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl
from starlette.testclient import TestClient
from typer.testing import CliRunner

from insights.analyses.plain import Cell
from insights.made.shelf import save
from insights.made.things import Board, Question
from tests.insights.example import append, said_of
from tests.servers.process import wait_until
from tests.web.world import NOW_MS, WebWorld

SCENARIO, USERS, END = "ecommerce", "700", "2026-11-27"
"""It ends on the day of `tests.web.world.NOW_MS`."""
JUDGED_DAYS = 63
PAGES = ("/today", "/retention", "/journeys", "/groups", "/features", "/changes")
ALSO = ("/explore?analysis=retention&unit=week&by=channel", "/boards/every-monday")
"""What else has its picture taken."""


def import_shop(folder: Path) -> Path:
    """Make up a shop and put it into a history, with what an engine might have said of its people of late; return the history's folder."""
    from stream.cli import app

    file, history = folder / "shop.parquet", folder / "history"
    words = ["simulate", "--scenario", SCENARIO, "--users", USERS, "--end", END, "--out", str(file)]
    for arguments in (words, ["history", "import", str(file)]):
        done = CliRunner(env={"CHURNWATCH_HISTORY": str(history)}).invoke(app, arguments, catch_exceptions=False)
        assert done.exit_code == 0, done.output
    rows = (
        pl.read_parquet(file).with_columns(pl.from_epoch("ts", time_unit="ms").dt.replace_time_zone("UTC").dt.to_string("iso")).to_dicts()
    )
    until = datetime.fromisoformat(END).replace(tzinfo=UTC)
    for spec, frame in said_of(rows, until - timedelta(days=JUDGED_DAYS), until):
        append(history, spec, frame)
    return history


def keep_a_board(world: WebWorld) -> None:
    """Make a board of what a growth lead looks at on a Monday."""
    weekly = {"unit": "week"}
    questions = (
        Question(title="Back in the next week", analysis="retention", parameters=weekly, shown="number", cell=Cell(metric="overall", k=1)),
        Question(title="People who came yesterday", analysis="active_users", shown="number", cell=Cell(metric="dau")),
        Question(title="In the month", analysis="active_users", shown="number", cell=Cell(metric="mau")),
        Question(title="Do new people come back, by channel", analysis="retention", parameters={**weekly, "by": "channel"}, shown="chart"),
        Question(title="Who comes and goes", analysis="active_users", shown="chart"),
        Question(title="Each week's new people", analysis="retention", parameters=weekly),
        Question(title="From sign-up to purchase", analysis="funnel", parameters={"steps": ["sign_up_start", "fill_form", "sign_up_done"]}),
    )
    with world.parts.store.write() as db:
        names = [save(db, one, by="ann", now_ms=NOW_MS - 3_600_000).name for one in questions]
        save(db, Board(title="Every Monday", questions=tuple(names)), by="ann", now_ms=NOW_MS - 600_000)


def shown(browser: TestClient, path: str) -> str:
    """Return a page once all that it asks has been computed."""
    page = ""

    def ready() -> bool:
        nonlocal page
        answer = browser.get(path)
        assert answer.status_code == 200, answer.text
        page = answer.text
        return "data-computing" not in page and "refresh" not in answer.headers

    wait_until(ready, 120, f"{path} is computed")
    return page


def warm(world: WebWorld, cookies: Mapping[str, str]) -> None:
    """Let all pages be computed once, as whoever has these cookies."""
    browser = world.browser()
    browser.cookies.update(dict(cookies))
    for path in (*PAGES, *ALSO):
        shown(browser, path)
