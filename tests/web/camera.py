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
from tests.web.shots import Device, Lang, Place, Shot, Theme, Worlds

NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")
PATIENCE_MS = 60_000
LOCALES = {"en": "en-US", "zh": "zh-CN"}
Look = tuple[Device, Theme, Lang]
"""A way of looking."""


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


class Camera:
    """Takes pictures with one browser. A window for each way of looking is kept open, since to open one takes longer than a page."""

    def __init__(self, browser: Browser, folder: Path) -> None:
        self._browser, self._folder = browser, folder
        self._windows: dict[Look, Window] = {}

    def take(self, place: Place, shot: Shot) -> Taken:
        """Open a page, check it, and write its picture, as long as the page is."""
        look = (shot.device, shot.theme, shot.lang)
        if look not in self._windows:
            self._windows[look] = Window(self._browser, look)
        window = self._windows[look]
        status = window.open(place, shot)
        found = list(findings(window.page, shot, status, window.watched))
        file = self._folder / f"{shot.name}.png"
        window.page.screenshot(path=file, full_page=True, animations="disabled")
        return Taken(shot, file, found)


class Window:
    """A window of one size, theme and language, and what is seen in it.

    Attributes
    ----------
    page : playwright.sync_api.Page
    watched : Watched
        What the page that is shown did.
    """

    def __init__(self, browser: Browser, look: Look) -> None:
        device, theme, lang = look
        self._context = browser.new_context(
            viewport={"width": device.width, "height": device.height},
            is_mobile=device.is_phone,
            has_touch=device.is_phone,
            color_scheme=theme,
            locale=LOCALES[lang],
            reduced_motion="reduce",
        )
        self._context.set_default_timeout(PATIENCE_MS)
        self.page, self.watched = self._context.new_page(), Watched()
        self.page.on("console", self.watched.console)
        self.page.on("pageerror", self.watched.crash)
        self.page.on("request", self.watched.request)
        self.page.on("response", self.watched.response)

    def open(self, place: Place, shot: Shot) -> int:
        """Open a page as whoever looks at it, and return the status of the answer."""
        self.page.goto("about:blank")  # what the page before still does is none of this page's faults
        self.watched.begin(urlsplit(place.url).netloc)
        self._context.clear_cookies()
        cookies = place.cookies.get(shot.page.who, {})
        self._context.add_cookies([{"name": name, "value": value, "url": place.url} for name, value in cookies.items()])
        answer = self.page.goto(place.url.rstrip("/") + shot.path, wait_until="load")
        self.page.evaluate("document.fonts.ready.then(() => true)")
        return answer.status if answer else 0


def take_all(browser: Browser, shots: Sequence[Shot], worlds: Worlds, folder: Path) -> Iterator[Taken]:
    """Yield each picture as it is taken; every world is opened once."""
    folder.mkdir(parents=True, exist_ok=True)
    ordered, camera = sorted(shots, key=lambda shot: shot.page.state), Camera(browser, folder)
    for state, of_state in groupby(ordered, key=lambda shot: shot.page.state):
        with worlds(state) as place:
            for shot in of_state:
                yield camera.take(place, shot)
