"""The pictures of the tutorials: `python -m tests.web.tutorial_pictures`.

Does what the tutorial says: makes up the shop, explores it, plays the demo; then opens each page in a real Chromium, in English and in Chinese, and writes
docs/pictures/NAME.en.png and NAME.zh.png.
"""

from __future__ import annotations

import re
import signal
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import NamedTuple
from urllib.request import urlopen

from playwright.sync_api import Browser

from tests.servers.ports import free_port
from tests.servers.process import Program, wait_until
from tests.web.camera import LOCALES, chromium
from tests.web.readme_picture import with_palette

FOLDER = Path(__file__).parents[2] / "docs" / "pictures"
MOST_BYTES = 120_000
SHOP = ["simulate", "--scenario", "ecommerce", "--users", "3000", "--out"]


class Picture(NamedTuple):
    """A page, and how much of it is shown.

    Attributes
    ----------
    height : int
        In pixels of a window that is `WIDTH` wide.
    """

    name: str
    path: str
    height: int


WIDTH = 1_200
EXPLORED = (
    Picture("today", "/today", 720),
    Picture("retention", "/retention?unit=month&by=props.tier", 590),
    Picture("funnel", "/journeys?step=sign_up_start&step=fill_form&step=sign_up_done&window=7d&by=props.platform", 770),
    Picture("groups", "/groups", 720),
)
PLAYED = (Picture("who-is-at-risk", "/at-risk", 640),)


@contextmanager
def serving(arguments: list[str], said: str, folder: Path) -> Iterator[str]:
    """Run a command until Ctrl-C; yields the address that it says once it is ready."""
    log = folder / f"{arguments[0]}.log"
    program = Program(arguments, {}, log)
    try:
        wait_until(
            lambda: said in program.text() or program.process.poll() is not None, 300, said, program.text, lambda: len(program.text())
        )
        found = re.search(rf"{said} (http://[\d.:]+\d)", program.text())
        if found is None:
            sys.exit(f"`churnwatch {arguments[0]}` does not serve:\n{program.text()}")
        yield found[1]
    finally:
        program.signal(signal.SIGINT)
        program.process.wait(30)


def computed(address: str) -> bool:
    """Whether a page has all that it shows."""
    with urlopen(address, timeout=60) as answer:  # noqa: S310 - our own page, on loopback
        return b"data-computing" not in answer.read()


def take(browser: Browser, address: str, pictures: tuple[Picture, ...]) -> None:
    """Write each picture in each language."""
    for lang, locale in LOCALES.items():
        context = browser.new_context(
            locale=locale, color_scheme="light", reduced_motion="reduce", viewport={"width": WIDTH, "height": 900}
        )
        page = context.new_page()
        for one in pictures:
            page.set_viewport_size({"width": WIDTH, "height": one.height})
            wait_until(partial(computed, address + one.path), 300, f"{one.path} is computed")
            page.goto(address + one.path)
            page.evaluate("document.fonts.ready.then(() => true)")
            small = with_palette(page.screenshot(animations="disabled"))
            if len(small) > MOST_BYTES:
                sys.exit(f"{one.name}.{lang}.png has {len(small):,} bytes, more than {MOST_BYTES:,}")
            (FOLDER / f"{one.name}.{lang}.png").write_bytes(small)
            print(f"{one.name}.{lang}.png: {len(small):,} bytes")
        context.close()


def main() -> int:
    """Take all; return the exit code."""
    FOLDER.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as made, chromium() as browser:
        folder = Path(made)
        shop = folder / "shop.parquet"
        if Program([*SHOP, str(shop)], {}, folder / "simulate.log").process.wait(120):
            sys.exit((folder / "simulate.log").read_text())
        explore = ["explore", str(shop), "--address", f"127.0.0.1:{free_port()}", "--folder", str(folder / "shop")]
        with serving(explore, "the pages are at", folder) as address:
            take(browser, address, EXPLORED)
        with serving(["demo", "--stay"], "Live at", folder) as address:
            wait_until(lambda: listed(address) >= 8, 300, "eight people on the list")
            take(browser, address, PLAYED)
    return 0


def listed(address: str) -> int:
    """How many people At risk lists."""
    with urlopen(f"{address}/at-risk", timeout=60) as answer:  # noqa: S310 - our own page, on loopback
        return answer.read().count(b"data-alert=")


if __name__ == "__main__":
    sys.exit(main())
