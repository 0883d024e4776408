"""What may be wrong with a page that a browser shows? Each check returns what it found, a sentence each; none is all well."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import ConsoleMessage, Page, Request, Response

from tests.web.shots import Shot

MOST_BYTES = 150_000
"""Most bytes of a page with its style and script, without gzip."""
MOST_SCRIPT_BYTES = 10_000
OWN_SCHEMES = {"data", "blob", "about"}
"""Addresses that ask nobody."""


@dataclass
class Watched:
    """What a page did while it was loaded and looked at."""

    host: str = ""
    errors: list[str] = field(default_factory=list)
    foreign: list[str] = field(default_factory=list)
    broken: list[str] = field(default_factory=list)
    answers: list[Response] = field(default_factory=list)

    def begin(self, host: str) -> None:
        """Forget the page before; the next one may ask `host` only."""
        self.host = host
        for seen in (self.errors, self.foreign, self.broken, self.answers):
            seen.clear()

    def console(self, message: ConsoleMessage) -> None:
        """Keep an error of the console, such as one of the content policy. A missing file is told by `response` with its name."""
        if message.type == "error" and not message.text.startswith("Failed to load resource"):
            self.errors.append(message.text)

    def crash(self, error: object) -> None:
        """Keep an exception that no script caught."""
        self.errors.append(str(error))

    def request(self, request: Request) -> None:
        """Keep an address of another host."""
        address = urlsplit(request.url)
        if address.scheme not in OWN_SCHEMES and address.netloc != self.host:
            self.foreign.append(request.url)

    def response(self, response: Response) -> None:
        """Keep an answer, and what the page asked for and did not get; the page itself has a status of its own."""
        self.answers.append(response)
        if response.status >= 400 and not response.request.is_navigation_request():
            self.broken.append(f"{response.status} {urlsplit(response.url).path}")

    def weight(self, *kinds: str) -> int:
        """Return the bytes of the answers of these kinds, as the server says: a browser may have let go of what it keeps in its cache."""
        return sum(int(one.headers.get("content-length", 0)) for one in self.answers if one.request.resource_type in kinds)


def findings(page: Page, shot: Shot, status: int, watched: Watched) -> Iterator[str]:
    """Yield all that is wrong with a page that is loaded."""
    if status != shot.page.status:
        yield f"answers {status}, should answer {shot.page.status}"
    yield from too_wide(page, shot)
    yield from (f"console error: {text}" for text in watched.errors)
    yield from (f"request to another host: {url}" for url in watched.foreign)
    yield from (f"asked for what is not there: {what}" for what in watched.broken)
    yield from too_heavy(watched)
    yield from wrong_language(page, shot)
    yield from not_accessible(page)


def too_wide(page: Page, shot: Shot) -> Iterator[str]:
    """Yield by how much the page scrolls sideways, and what sticks out first."""
    width = page.evaluate("document.documentElement.scrollWidth")
    if width != shot.device.width:
        widest = page.evaluate(
            """(width) => [...document.body.querySelectorAll("*")]
                 .filter((one) => one.getBoundingClientRect().right > width + 0.5)
                 .map((one) => one.outerHTML.slice(0, 120))[0] ?? "nothing that is seen" """,
            shot.device.width,
        )
        yield f"scrolls sideways: {width} px wide, should be {shot.device.width}; first to stick out: {widest}"


def too_heavy(watched: Watched) -> Iterator[str]:
    """Yield whether page or script are larger than they may be."""
    total, script = watched.weight("document", "stylesheet", "script"), watched.weight("script")
    if total > MOST_BYTES:
        yield f"too heavy: {total:,} bytes, at most {MOST_BYTES:,}"
    if script > MOST_SCRIPT_BYTES:
        yield f"too much script: {script:,} bytes, at most {MOST_SCRIPT_BYTES:,}"


def wrong_language(page: Page, shot: Shot) -> Iterator[str]:
    """Yield the page's language if it is not the one asked for."""
    said = page.evaluate("document.documentElement.lang")
    if said.split("-")[0] != shot.lang:
        yield f"is in the language {said!r}, should be in {shot.lang!r}"


def not_accessible(page: Page) -> Iterator[str]:
    """Yield what axe-core finds, with the first place of each."""
    found: list[dict[str, Any]] = Axe().run(page).response["violations"]
    for one in found:
        places = one["nodes"]
        yield f"axe {one['id']} ({one['impact']}), {len(places)} times: {one['help']}; first: {places[0]['html'][:160]}"
