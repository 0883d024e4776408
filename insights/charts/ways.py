"""Which ways do people take, and where do they fall silent? Columns are steps, the width of a way is how many took it; silence lies at the foot and alone has a colour."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from markupsafe import Markup

from insights.charts.measure import shortened, width
from insights.charts.plot import nothing
from insights.charts.scale import LEAST
from insights.charts.svg import SMALL, Size, Told, colour, drawing, is_drawable, px, rect, text, tip
from insights.words import Words

BAR, TOP, FOOT = 10, 20, 6
"""Width of a node, room for the heads of steps above, and below all, px."""
BESIDE = 6
"""Distance of a name from its node, px."""


class Way(NamedTuple):
    """One link: from a node of a step, from 1 on, to one of the next; how many took it, and how that is said. What ends in silence is at the foot.

    Attributes
    ----------
    step : int
        Of the source.
    source, target : str
        Names, as they are shown; a node is its step and its name.
    value : float
        How many; what is not positive is not drawn.
    said : str
    silence : bool
        Whether the target is silence.
    """

    step: int
    source: str
    target: str
    value: float
    said: str
    silence: bool = False


Node = tuple[int, str]


class _Placed(NamedTuple):
    """Where a node stands, px, how many come through it, and whether it is silence."""

    x: float
    top: float
    tall: float
    value: float
    silence: bool


def ways(size: Size, words: Words, links: Sequence[Way], heads: Sequence[str], *, title: str, desc: str) -> Markup:
    """Draw links over as many steps as there are heads.

    Parameters
    ----------
    size : Size
    words : Words
    links : sequence of Way
        Of nodes with the same step and name there is one; those of later steps than there are heads are left out.
    heads : sequence of str
        What stands above each step.
    title, desc : str
    """
    shown = [one for one in links if is_drawable(one.value) and one.value > LEAST and 1 <= one.step < len(heads)]
    if not shown:
        return drawing(size, nothing(size, words), title=title, desc=desc)
    sums = _sums(shown)
    placed, scale = _placed(size, shown, sums, len(heads), words)
    labels = [
        text(min(_left(size, step, len(heads), sums, words), size.width - width(head, SMALL)), 12, head, size=SMALL)
        for step, head in enumerate(heads, 1)
    ]
    return drawing(
        size,
        "".join([*labels, *_links(shown, placed, scale, words), *_nodes(placed, size, len(heads), words)]),
        title=title,
        desc=desc,
    )


def _sums(links: Sequence[Way]) -> dict[Node, float]:
    """Return how many come through each node: the more of what comes to it and of what goes on from it."""
    comes: dict[Node, float] = defaultdict(float)
    goes: dict[Node, float] = defaultdict(float)
    for one in links:
        goes[one.step, one.source] += one.value
        comes[one.step + 1, one.target] += one.value
    return {node: max(comes[node], goes[node]) for node in {**goes, **comes}}


def _left(size: Size, step: int, steps: int, sums: dict[Node, float], words: Words) -> float:
    last = max((width(f"{name} {words.number(value)}", SMALL) for (at, name), value in sums.items() if at == steps), default=0.0)
    room = min(size.width * 0.28, last + BESIDE + 4)
    return (size.width - BAR - room) * (step - 1) / max(1, steps - 1)


def _placed(size: Size, links: Sequence[Way], sums: dict[Node, float], steps: int, words: Words) -> tuple[dict[Node, _Placed], float]:
    """Return where each node stands, the largest on top, silence at the foot; and px for one."""
    silent = {(one.step + 1, one.target) for one in links if one.silence}
    columns: dict[int, list[Node]] = defaultdict(list)
    for node in sorted(sums, key=lambda node: (node in silent, -sums[node], node)):
        columns[node[0]].append(node)
    gap = 14.0 if size.width > 600 else 10.0
    height, most = size.height - TOP - FOOT, max(len(nodes) for nodes in columns.values())
    gap = min(gap, height * 0.5 / max(1, most - 1))
    scale = (height - gap * (most - 1)) / max(sum(sums[node] for node in nodes) for nodes in columns.values())
    placed = {}
    for step, nodes in columns.items():
        y, x = float(TOP), _left(size, step, steps, sums, words)
        quiet = [node for node in nodes if node in silent]
        foot = size.height - FOOT - sum(sums[node] for node in quiet) * scale - gap * max(0, len(quiet) - 1)
        for node in nodes:
            tall = sums[node] * scale
            if quiet and node == quiet[0]:
                y = max(y, foot)
            placed[node] = _Placed(x, y, tall, sums[node], node in silent)
            y += tall + gap
    return placed, scale


def _links(links: Sequence[Way], placed: dict[Node, _Placed], scale: float, words: Words) -> Iterator[str]:
    out = {node: one.top for node, one in placed.items()}
    into = dict(out)
    for one in sorted(links, key=lambda way: (way.silence, placed[way.step, way.source].top, placed[way.step + 1, way.target].top)):
        source, target, thick = (one.step, one.source), (one.step + 1, one.target), one.value * scale
        start, end = placed[source].x + BAR, placed[target].x
        from_y, to_y, middle = out[source] + thick / 2, into[target] + thick / 2, (start + end) / 2
        out[source], into[target] = out[source] + thick, into[target] + thick
        told = tip(f"{one.source} → {one.target}", [Told("silence" if one.silence else "flow", one.said, words.number(one.value))])
        yield (
            f'<path d="M{px(start)} {px(from_y)}C{px(middle)} {px(from_y)} {px(middle)} {px(to_y)} {px(end)} {px(to_y)}" fill="none" '
            f'stroke="{colour("silence" if one.silence else "flow")}" stroke-width="{px(max(1.0, thick))}" stroke-opacity="{".45" if one.silence else ".3"}" {told}/>'
        )


def _nodes(placed: dict[Node, _Placed], size: Size, steps: int, words: Words) -> Iterator[str]:
    free: dict[int, float] = defaultdict(float)
    for (step, name), one in sorted(placed.items(), key=lambda item: (item[0][0], item[1].top)):
        yield rect(one.x, one.top, BAR, max(1.0, one.tall), "silence" if one.silence else "node", radius=2)
        at = min(one.top + (13 if one.tall > 30 else one.tall / 2 + 4), size.height - 3)
        if at - 12 < free[step]:  # the name would lie over the one above
            continue
        free[step] = at
        number = words.number(one.value)
        right = (
            size.width
            if step == steps
            else min((item.x for (other, _), item in placed.items() if other == step + 1), default=size.width) - 4
        )
        room = right - one.x - BAR - BESIDE
        if width(number, SMALL) + 20 > room:
            continue
        said = f"{shortened(name, room - width(number, SMALL) - 6, SMALL)} {number}"
        yield text(one.x + BAR + BESIDE, at, said, fill="ink", size=SMALL, weight=500, halo=True)
