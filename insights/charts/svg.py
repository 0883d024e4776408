"""What is a drawing made of? Elements of SVG as text: numbers short and finite, colours by name, and whatever strangers write as mere text.

Colours are attributes `fill="var(--name)"`, and no attribute is a style: a page's content policy need not allow any. What the pointer shows is in
`data-tip`: lines, the first a heading, the others with a colour, a name and a value between tabs (see `tip`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from html import escape
from math import isfinite
from typing import Literal, NamedTuple, TypeGuard

from markupsafe import Markup

from stream.shown import visible

FONT = "Inter,system-ui,-apple-system,'Segoe UI','PingFang SC','Microsoft YaHei','Noto Sans CJK SC',sans-serif"
SMALL, BODY = 11, 12
"""Sizes of text in a chart, px. Each chart is drawn for a wide and a narrow place, so text keeps its size on a phone."""
ENDS = 'stroke-linecap="round" stroke-linejoin="round"'
"""Of all lines of a drawing: written once, not with each of them."""
LARGEST = 1e15
"""No count or share is so large: what is beyond is not drawn, like a number that is not known."""
Anchor = Literal["start", "middle", "end"]


class Size(NamedTuple):
    """Width and height of a drawing, px."""

    width: float
    height: float


class Drawn(NamedTuple):
    """One chart, drawn for a wide and for a narrow place; the style sheet shows one of them."""

    wide: Markup
    narrow: Markup


class Told(NamedTuple):
    """One line of what the pointer shows: the colour's name, what it is, and the value in words."""

    colour: str
    name: str
    value: str


def twice(draw: Callable[[Size], Markup], wide: Size, narrow: Size) -> Drawn:
    """Draw a chart for a wide and for a narrow place."""
    return Drawn(draw(wide), draw(narrow))


def is_drawable(value: float | None) -> TypeGuard[float]:
    """Whether a chart can show a number.

    >>> is_drawable(3), is_drawable(None), is_drawable(float("nan")), is_drawable(-1e300)
    (True, False, False, False)
    """
    return value is not None and isfinite(value) and abs(value) <= LARGEST


def px(value: float) -> str:
    """Write a coordinate: a tenth of a pixel is enough.

    >>> px(12.04), px(3.25), px(-0.01)
    ('12', '3.2', '0')
    """
    text = f"{value:.1f}".rstrip("0").rstrip(".")
    return "0" if text == "-0" else text


def escaped(text: str) -> str:
    r"""Return text as it may stand in an element or a quoted attribute: markup is escaped, and what cannot be seen is spelled out.

    >>> escaped('<b>"&\x00')
    '&lt;b&gt;&quot;&amp;\\x00'
    """
    return escape(visible(text))


def colour(name: str) -> str:
    """Return the value of an attribute: a colour by its name."""
    return f"var(--{name})"


def tip(heading: str, rows: Iterable[Told] = ()) -> str:
    r"""Return the attribute that tells what the pointer shows over a mark.

    >>> tip("Nov 27", [Told("accent", "open alerts", "214")])
    'data-tip="Nov 27\naccent\topen alerts\t214"'
    """
    lines = [escaped(heading), *("\t".join(escaped(cell) for cell in row) for row in rows)]
    return 'data-tip="{}"'.format("\n".join(lines))


def text(
    x: float,
    y: float,
    said: str,
    *,
    anchor: Anchor = "start",
    fill: str = "ink3",
    size: float = BODY,
    weight: int = 400,
    halo: bool = False,
) -> str:
    """Draw a text, its baseline at (x, y). A halo keeps it readable over lines."""
    parts = [f'x="{px(x)}" y="{px(y)}" fill="{colour(fill)}"']
    if anchor != "start":
        parts.append(f'text-anchor="{anchor}"')
    if size != BODY:
        parts.append(f'font-size="{px(size)}"')
    if weight != 400:
        parts.append(f'font-weight="{weight}"')
    if halo:
        parts.append(f'paint-order="stroke" stroke="{colour("surface")}" stroke-width="3" stroke-linejoin="round"')
    return f"<text {' '.join(parts)}>{escaped(said)}</text>"


def rect(x: float, y: float, width: float, height: float, fill: str, *, radius: float = 0, extra: str = "") -> str:
    """Draw a rectangle; `extra` are more attributes."""
    rounded = f' rx="{px(radius)}"' if radius else ""
    return (
        f'<rect x="{px(x)}" y="{px(y)}" width="{px(max(0, width))}" height="{px(max(0, height))}"{rounded} '
        f'fill="{colour(fill)}"{" " + extra if extra else ""}/>'
    )


def circle(x: float, y: float, radius: float, fill: str, *, stroke: str = "", thick: float = 1.5) -> str:
    """Draw a circle, with a line around it if a colour is given for one."""
    around = f' stroke="{colour(stroke)}" stroke-width="{px(thick)}"' if stroke else ""
    return f'<circle cx="{px(x)}" cy="{px(y)}" r="{px(radius)}" fill="{colour(fill)}"{around}/>'


def line(points: str, stroke: str, *, thick: float = 1, dashed: bool = False) -> str:
    """Draw a line along the commands of a path. Dashed always means: not known yet."""
    dash = ' stroke-dasharray="2 4"' if dashed else ""
    return f'<path d="{points}" fill="none" stroke="{colour(stroke)}" stroke-width="{px(thick)}"{dash}/>'


def fill(points: str, of: str, opacity: float = 1) -> str:
    """Fill what the commands of a path enclose."""
    return f'<path d="{points}" fill="{colour(of)}"' + (f' fill-opacity="{opacity:g}"' if opacity < 1 else "") + "/>"


def hit(x: float, y: float, width: float, height: float, told: str) -> str:
    """Return a field that answers the pointer with `told`, an attribute of `tip`; it stands in `hits`."""
    return f'<path d="M{px(x)} {px(y)}h{px(width)}v{px(height)}h{px(-width)}z" {told}/>'


def hits(fields: Iterable[str]) -> str:
    """Return the fields that answer the pointer, over all else."""
    inside = "".join(fields)
    return f'<g class="hits" fill="none" pointer-events="all">{inside}</g>' if inside else ""


def drawing(size: Size, body: str, *, title: str, desc: str) -> Markup:
    """Return a whole chart: `title` names it, `desc` says what it shows to those who do not see it."""
    box = f"{px(size.width)} {px(size.height)}"
    width, height = box.split(" ")
    return Markup(  # noqa: S704 - title and texts are escaped above, the rest are numbers and names of ours
        f'<svg class="chart" xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {box}" width="{width}" height="{height}" role="img" '
        f'aria-label="{escaped(title)}" font-family="{FONT}" font-size="{BODY}" {ENDS}><title>{escaped(title)}</title><desc>{escaped(desc)}</desc>{body}</svg>'
    )


CSS = """\
.chart { display: block; max-width: 100%; height: auto; font-variant-numeric: tabular-nums; }
.hits path:hover { fill: var(--ink3); fill-opacity: .14; }
"""
"""Rules of the style sheet that charts need."""
