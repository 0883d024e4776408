"""Pictures of every page as people see it: `python -m tests.web.pictures OUT [--only NAME]`.

Every page of the table in `tests/web/pages.py` is opened in a real Chromium, on a laptop and a phone, light and dark, in English and Chinese, full and in
each state. Each must not scroll sideways, write no error to the console, ask no other host, stay within its weight, and leave axe-core nothing to say.
OUT receives the pictures and `index.html`, a contact sheet. The exit code is 1 if anything was found, and says what.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from html import escape
from itertools import groupby
from pathlib import Path

from playwright.sync_api import Browser

from tests.web.camera import Taken, chromium, take_all
from tests.web.shots import Page, Worlds, every, few

STYLE = (
    "body{font:14px system-ui;margin:24px;background:#f6f7f9;color:#141a21}h2{margin:32px 0 8px}.row{display:flex;flex-wrap:wrap;gap:12px;align-items:flex-start}"
    "figure{margin:0;width:300px}img{width:100%;border:1px solid #dfe3e8}figure.bad img{border:2px solid #b3261e}figcaption{font-size:12px}li{margin:4px 0}"
)


def contact_sheet(taken: Sequence[Taken]) -> str:
    """Return a page that shows all pictures, what was found before all else."""
    found = [f"<li><a href='#{one.shot.name}'>{one.shot.name}</a>: {escape(what)}</li>" for one in taken for what in one.found]
    parts = [f"<h1>{len(taken)} pictures, {len(found)} findings</h1><ul>{''.join(found)}</ul>"]
    ordered = sorted(taken, key=lambda one: one.shot.name)
    for (name, state), group in groupby(ordered, key=lambda one: (one.shot.page.name, one.shot.page.state)):
        figures = "".join(
            f"<figure id='{one.shot.name}' class='{'bad' if one.found else ''}'><a href='{one.file.name}'><img loading='lazy' src='{one.file.name}' alt=''></a>"
            f"<figcaption>{one.shot.device.name}, {one.shot.theme}, {one.shot.lang}</figcaption></figure>"
            for one in group
        )
        parts.append(f"<h2>{escape(name)} · {escape(state)}</h2><div class='row'>{figures}</div>")
    return f"<!doctype html><html lang='en'><meta charset='utf-8'><title>Pictures</title><style>{STYLE}</style>{''.join(parts)}</html>"


def run(
    arguments: Sequence[str], pages: Sequence[Page], worlds: Worlds, browse: Callable[[], AbstractContextManager[Browser]] = chromium
) -> int:
    """Take the pictures that the arguments ask for with the browser that `browse` opens; return the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.web.pictures", description="Pictures of every page, and what is wrong with them."
    )
    parser.add_argument("out", type=Path, help="folder for pictures and contact sheet")
    parser.add_argument("--only", metavar="NAME", help="a page, a state, or part of a picture's name such as at-risk-full-phone")
    parser.add_argument("--few", action="store_true", help="each page once, and the critical pictures, as the tests do")
    asked = parser.parse_args(arguments)
    shots = few(pages) if asked.few else every(pages)
    if asked.only:
        shots = [shot for shot in shots if asked.only in shot.name]
        if not shots:
            names = ", ".join(sorted({f"{page.name}-{page.state}" for page in pages}))
            print(f"no picture has {asked.only!r} in its name; pages and states: {names}", file=sys.stderr)
            return 2
    taken: list[Taken] = []
    with browse() as browser:
        for one in take_all(browser, shots, worlds, asked.out):
            taken.append(one)
            print(one.shot.name, "ok" if not one.found else "")
            for what in one.found:
                print(f"  {what}")
    sheet = asked.out / "index.html"
    sheet.write_text(contact_sheet(taken))
    count = sum(len(one.found) for one in taken)
    print(f"{len(taken)} pictures, {count} findings: {sheet}")
    return 1 if count else 0


if __name__ == "__main__":
    from tests.web.pages import PAGES
    from tests.web.served import everywhere

    with everywhere() as worlds:
        sys.exit(run(sys.argv[1:], PAGES, worlds))
