"""How is a picture taken? Opens a page in a real Chromium as somebody sees it, checks it, and keeps what was seen."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import groupby
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

from playwright.sync_api import Browser, sync_playwright

from stream.faults import ServerMissing
from tests.web.checks import Watched, findings
from tests.web.shots import Place, Shot, Worlds

NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")
PATIENCE_MS = 60_000
LOCALES = {"en": "en-US", "zh": "zh-CN"}


class Taken(NamedTuple):
    """A picture that was taken, and what is wrong with the page on it."""

    shot: Shot
    file: Path
    found: list[str]


@contextmanager
def chromium() -> Iterator[Browser]:
    """Open a browser without a window. Raises ServerMissing, with what to install, if there is none."""
    path = next(filter(None, map(shutil.which, NAMES)), None)
    if path is None:
        raise ServerMissing("no Chromium on PATH, which pictures of the page need: install one (Debian: apt-get install chromium)")
    # Chromium refuses its sandbox to root; it opens pages of ours only
    arguments = ["--no-sandbox"] if os.geteuid() == 0 else []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=[*arguments, "--font-render-hinting=none"])
        try:
            yield browser
        finally:
            browser.close()


def take(browser: Browser, place: Place, shot: Shot, folder: Path) -> Taken:
    """Open a page, check it, and write its picture, as long as the page is."""
    device = shot.device
    context = browser.new_context(
        viewport={"width": device.width, "height": device.height},
        is_mobile=device.is_phone,
        has_touch=device.is_phone,
        color_scheme=shot.theme,
        locale=LOCALES[shot.lang],
        reduced_motion="reduce",
    )
    try:
        context.set_default_timeout(PATIENCE_MS)
        context.add_cookies([{"name": name, "value": value, "url": place.url} for name, value in place.cookies.items()])
        page = context.new_page()
        watched = Watched(urlsplit(place.url).netloc)
        page.on("console", watched.console)
        page.on("pageerror", watched.crash)
        page.on("request", watched.request)
        page.on("response", watched.response)
        answer = page.goto(place.url.rstrip("/") + shot.path, wait_until="load")
        page.evaluate("document.fonts.ready.then(() => true)")
        found = list(findings(page, shot, answer.status if answer else 0, watched))
        file = folder / f"{shot.name}.png"
        page.screenshot(path=file, full_page=True, animations="disabled")
        return Taken(shot, file, found)
    finally:
        context.close()


def take_all(shots: Sequence[Shot], worlds: Worlds, folder: Path) -> Iterator[Taken]:
    """Yield each picture as it is taken; every world is opened once."""
    folder.mkdir(parents=True, exist_ok=True)
    ordered = sorted(shots, key=lambda shot: shot.page.state)
    with chromium() as browser:
        for state, of_state in groupby(ordered, key=lambda shot: shot.page.state):
            with worlds(state) as place:
                for shot in of_state:
                    yield take(browser, place, shot, folder)
