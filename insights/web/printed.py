"""Pages as one file to send: what they show, with their charts and their style, and nothing that needs a server."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Sequence
from html import escape
from html.parser import HTMLParser

PAGES = ("/today", "/retention", "/journeys", "/groups", "/features")
LONGEST_S = 600.0
"""So long one page may be computed."""
LEFT_OUT = {"form", "script", "nav", "aside", "button"}
"""What a file cannot do."""
STYLE = (
    "main.printed{max-width:1120px;margin:0 auto;padding:24px 16px}.printed>.head{margin-top:40px}@media print{.card{break-inside:avoid}}"
    ".changed{margin:12px 0 8px}.changed ul{margin:0;padding:0;list-style:none}.changed li{padding:4px 0 4px 20px;position:relative}"
    ".changed li span{position:absolute;left:2px;color:var(--ink3)}.changed .good span{color:var(--good)}.changed .bad span{color:var(--bad)}"
    ".changed .good,.changed .bad{color:inherit;background:none}"
)
"""What a file needs besides the style of the pages."""
_ID = re.compile(r"""\b(id|for|aria-labelledby|aria-describedby|aria-controls)="([^"]*)\"""")
_REFERENCE = re.compile(r"""(href="#|url\(#)([\w-]+)""")


class Body(HTMLParser):
    """What stands in `<main>` of a page; ids get a beginning of their own, and links to other pages are text.

    >>> body = Body("a-")
    >>> body.feed('<main id="main"><p id="x">Of <a href="/y">7</a><form>gone</form></p></main>')
    >>> body.text
    '<p id="a-x">Of <span>7</span></p>'
    """

    def __init__(self, before: str) -> None:
        super().__init__(convert_charrefs=False)
        self._before, self._out, self._inside = before, [""], False
        self._skipped, self._depth = "", 0
        self._links: list[str] = []
        self.again = False

    @property
    def text(self) -> str:
        """What was found."""
        return "".join(self._out)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """See html.parser."""
        named = dict(attrs)
        self.again |= "data-computing" in named
        if tag == "main":
            self._inside = True
        elif self._skipped:
            self._depth += tag == self._skipped
        elif self._inside and tag in LEFT_OUT:
            self._skipped, self._depth = tag, 1
        elif self._inside and tag == "a":
            inner = (named.get("href") or "").startswith("#")
            self._links.append("a" if inner else "span")
            self._write(self.get_starttag_text() or "" if inner else "<span>")
        elif self._inside:
            self._write(self.get_starttag_text() or "")

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:  # noqa: ARG002 - html.parser calls it so
        """See html.parser."""
        if self._inside and not self._skipped:
            self._write(self.get_starttag_text() or "")

    def handle_endtag(self, tag: str) -> None:
        """See html.parser."""
        if tag == "main":
            self._inside = False
        elif self._skipped:
            self._depth -= tag == self._skipped
            self._skipped = self._skipped if self._depth else ""
        elif self._inside:
            self._write(f"</{self._links.pop() if tag == 'a' and self._links else tag}>")

    def handle_data(self, data: str) -> None:
        """See html.parser."""
        if self._inside and not self._skipped:
            self._out.append(data)

    def handle_entityref(self, name: str) -> None:
        """See html.parser."""
        self.handle_data(f"&{name};")

    def handle_charref(self, name: str) -> None:
        """See html.parser."""
        self.handle_data(f"&#{name};")

    def _write(self, tag: str) -> None:
        ids = _ID.sub(lambda one: f'{one[1]}="{" ".join(self._before + name for name in one[2].split())}"', tag)
        self._out.append(_REFERENCE.sub(lambda one: one[1] + self._before + one[2], ids))


def printed(got: Callable[[str], str], lang: str, first: str = "", pages: Sequence[str] = PAGES, title: str = "") -> str:
    """Return pages as one HTML document, once all their answers are there.

    Parameters
    ----------
    got : callable
        Gives what the page at a path shows.
    lang : str
        `en` or `zh`.
    first : str
        HTML that stands before the pages.
    title : str
        Of the document; "" is the program's name and the day.

    Raises
    ------
    TimeoutError
        An answer took more than `LONGEST_S`.
    """
    style = got("/static/page.css")
    bodies = [_body(got, f"{path}?lang={lang}&theme=light", f"page{place}-") for place, path in enumerate(pages, 1)]
    tongue, title = "zh-Hans" if lang == "zh" else "en", title or f"churnwatch · {time.strftime('%Y-%m-%d')}"
    return (
        f'<!doctype html>\n<html lang="{tongue}" data-theme="light"><head><meta charset="utf-8">'
        f'<meta name="viewport" content="width=device-width,initial-scale=1"><title>{escape(title)}</title>'
        f'<style>{style}{STYLE}</style></head><body><main class="printed">{first}{"".join(bodies)}</main></body></html>\n'
    )


def _body(got: Callable[[str], str], path: str, before: str) -> str:
    until = time.monotonic() + LONGEST_S
    while True:
        body = Body(before)
        body.feed(got(path))
        if not body.again:
            return body.text
        if time.monotonic() > until:
            raise TimeoutError(f"{path} took more than {LONGEST_S:.0f} s")
