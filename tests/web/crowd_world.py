"""A page over a history: a made-up shop of `insights/scenarios`, imported as anybody would, beside an app that was played."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl
from starlette.testclient import TestClient
from typer.testing import CliRunner

from tests.insights.example import append, said_of
from tests.servers.process import wait_until
from tests.web.world import WebWorld

SCENARIO, USERS, END = "ecommerce", "700", "2026-11-27"
"""It ends on the day of `tests.web.world.NOW_MS`."""
JUDGED_DAYS = 63
PAGES = ("/today", "/retention", "/journeys", "/groups", "/features", "/changes")
ALSO = ("/explore?analysis=retention&unit=week&by=channel",)
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
