"""How is a page drawn? Its template in the frame: rail, language, theme, state of the engine."""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path
from typing import Any, Literal, Protocol, cast
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from fastapi import Request
from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape
from markupsafe import Markup, escape

from insights.charts.colours import css
from insights.charts.svg import CSS as CHARTS
from insights.web.parts import Parts
from insights.web.rail import RAIL, TABS
from insights.web.strip import coming_of, strip_of
from insights.web.who import NEEDED
from insights.words import Lang, words

HERE = Path(__file__).parent
STATIC = HERE / "static"
SHEETS = ("page.css", "frame.css", "at_risk.css", "person.css", "crowd.css", "explore.css", "boards.css")
"""Rules of the one stylesheet, in order."""
Theme = Literal["light", "dark", "auto"]
YEAR_S = 365 * 86_400
LANGS: tuple[Lang, ...] = ("en", "zh")
THEMES: tuple[Theme, ...] = ("light", "dark", "auto")


@cache
def templates() -> Environment:
    """Return the templates. A name that a page forgot is an error, not an empty place."""
    made = Environment(
        loader=FileSystemLoader(HERE / "templates"),
        autoescape=select_autoescape(default=True, default_for_string=True),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters["ticks"] = ticks
    made.filters["unseen"] = unseen
    return made


def ticks(text: str) -> Markup:
    """Return a text with what stands between backticks as code.

    >>> ticks("a < b: `x & y`")
    Markup('a &lt; b: <code>x &amp; y</code>')
    """
    parts = text.split("`")
    return Markup("").join(Markup("<code>{}</code>").format(part) if at % 2 else part for at, part in enumerate(parts))


def unseen(text: str) -> Markup:
    """Return a text as the value of a field that nobody sees: what cannot be printed is written as a reference, so it turns nothing around in the source.

    Control characters from 128 to 159 stay, since HTML takes a reference to one for another character.

    >>> unseen('"\u202e<')
    Markup('&#34;&#8238;&lt;')
    """
    signs = (sign if sign.isprintable() or ord(sign) < 160 else f"&#{ord(sign)};" for sign in str(escape(text)))
    return Markup("".join(signs))  # noqa: S704 - escaped just before; the references are numbers


@cache
def stylesheet() -> str:
    """Return the one stylesheet: colours by name, then the rules."""
    return css() + CHARTS + "".join((STATIC / name).read_text() for name in SHEETS)


@cache
def build() -> str:
    """Name this build's static files, so that a browser may keep them for ever."""
    parts = [stylesheet().encode(), *((STATIC / name).read_bytes() for name in ("page.js",))]
    return hashlib.sha256(b"".join(parts)).hexdigest()[:10]


def language(request: Request) -> Lang:
    """Return the language asked for: in the address, else in the cookie, else the browser's."""
    asked = request.query_params.get("lang") or request.cookies.get("lang")
    if asked in LANGS:
        return asked
    return "zh" if request.headers.get("accept-language", "").lower().startswith("zh") else "en"


def theme(request: Request) -> Theme:
    """Return the theme asked for: in the address, else in the cookie, else the system's."""
    asked = request.query_params.get("theme") or request.cookies.get("theme")
    return next((one for one in THEMES if one == asked), "auto")


def zone_of(parts: Parts) -> ZoneInfo:
    """Return the zone in which the app's days and times are said."""
    return ZoneInfo(parts.engine.view().zone)


class Link(Protocol):
    """The address of the page that is shown, with some of its filters changed; None takes one away."""

    def __call__(self, **changed: str | int | None) -> str:
        """Return the address."""
        ...


def link_of(request: Request) -> Link:
    """Return what changes the address of the page that is shown."""
    asked = dict(request.query_params)

    def link(**changed: str | int | None) -> str:
        left = {name: value for name, value in {**asked, **changed}.items() if value is not None and value != ""}
        return "?" + urlencode(left) if left else request.url.path

    return link


def draw(request: Request, template: str, title: str, *, status: int = 200, **values: Any) -> HTMLResponse:
    """Return a page.

    Parameters
    ----------
    template : str
        Name of its template.
    title : str
        Key of its name in the words; marks its place in the rail.
    values
        What the template shows. Strings are escaped; only a chart is `markupsafe.Markup`.
    """
    lang, chosen, asked, who = language(request), theme(request), request.query_params, request.scope.get("state", {}).get("who")
    w, parts = words(lang), cast("Parts", request.app.state.parts)
    # whoever is refused, or is not in yet, learns nothing of the engine; and such pages are drawn in the event loop, where nobody may ask Redis
    strip = (
        strip_of(parts.status.state(asked.get("definition")), w, zone_of(parts), parts.now_ms())
        if who and status == 200 and parts.live
        else None
    )
    has_history = bool(who) and parts.asked.has_history
    text = (
        templates()
        .get_template(template)
        .render(
            w=w,
            lang=lang,
            theme=chosen,
            title=title,
            rail=[entry for entry in RAIL if who and who.may(NEEDED[entry.role]) and (has_history if entry.crowd else parts.live)],
            tabs=TABS,
            path=request.url.path,
            build=build(),
            link=link_of(request),
            counts={"/at-risk": parts.keeper.board.open_count(parts.settings.definitions[0].name)},
            who=who,
            strip=strip,
            coming=coming_of(parts.settings, w) if strip and strip.day_one else [],
            **values,
        )
    )
    answer = HTMLResponse(text, status_code=status, headers={"Cache-Control": "private, no-store", "Vary": "Cookie, Accept-Language"})
    for name in ("lang", "theme"):
        if asked.get(name) in {*LANGS, *THEMES}:
            answer.set_cookie(name, asked[name], max_age=YEAR_S, samesite="lax", secure=request.url.scheme == "https", httponly=True)
    return answer
