"""Reads a drawing back: its elements, where each of them lies, and what it says. Shares nothing with the code that draws."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from html import unescape
from typing import NamedTuple
from xml.etree import ElementTree as ET

SVG = "{http://www.w3.org/2000/svg}"
TAGS = {"svg", "title", "desc", "g", "path", "rect", "circle", "text"}
ATTRIBUTES = {
    "class", "viewBox", "width", "height", "role", "aria-label", "aria-hidden", "font-family", "font-size", "font-weight", "x", "y", "cx", "cy", "r", "rx",
    "d", "fill", "fill-opacity", "stroke", "stroke-width", "stroke-opacity", "stroke-dasharray", "stroke-linejoin", "stroke-linecap", "paint-order", "text-anchor",
    "transform", "pointer-events", "data-tip",
}  # fmt: skip
COMMAND = re.compile(r"([MLHVhvlmZz])([^MLHVhvlmZz]*)")
NUMBER = re.compile(r"-?\d+(?:\.\d+)?")
FOREIGN = re.compile(r"nan|inf|e[+-]?\d", re.IGNORECASE)


class Point(NamedTuple):
    x: float
    y: float
    of: str


def parsed(svg: str) -> ET.Element:
    return ET.fromstring(str(svg))  # noqa: S314 - our own drawing


def elements(root: ET.Element) -> Iterator[ET.Element]:
    return root.iter()


def tag(element: ET.Element) -> str:
    return element.tag.removeprefix(SVG)


def texts(root: ET.Element) -> list[str]:
    return ["".join(one.itertext()) for one in root.iter(f"{SVG}text")]


def tips(svg: str) -> list[str]:
    """What the pointer shows, as a page's script reads it: HTML keeps line ends in attributes, XML does not."""
    return [unescape(found) for found in re.findall(r'data-tip="([^"]*)"', str(svg))]


def points(root: ET.Element) -> Iterator[Point]:
    """Every corner of every element, px, with what moves a group taken into account."""
    yield from _points(root, 0.0, 0.0)


def _points(element: ET.Element, dx: float, dy: float) -> Iterator[Point]:
    moved = re.fullmatch(r"translate\((\S+) (\S+)\)", element.get("transform", ""))
    if moved:
        dx, dy = dx + float(moved[1]), dy + float(moved[2])
    name = tag(element)
    said = ET.tostring(element, encoding="unicode")[:120]

    def number(attribute: str) -> float:
        value = float(element.get(attribute, "0").removesuffix("%"))
        assert math.isfinite(value), said
        return value

    if name == "rect":
        x, y = number("x") + dx, number("y") + dy
        yield from (Point(x, y, said), Point(x + number("width"), y + number("height"), said))
    elif name == "circle":
        x, y, r = number("cx") + dx, number("cy") + dy, number("r")
        yield from (Point(x - r, y - r, said), Point(x + r, y + r, said))
    elif name == "text":
        yield Point(number("x") + dx, number("y") + dy, said)
    elif name == "path":
        yield from (Point(x + dx, y + dy, said) for x, y in along(element.get("d", "")))
    for child in element:
        yield from _points(child, dx, dy)


def along(commands: str) -> Iterator[tuple[float, float]]:
    """Every corner of a path.

    >>> list(along("M1 2h3v4z"))
    [(1.0, 2.0), (4.0, 2.0), (4.0, 6.0)]
    """
    assert not FOREIGN.search(commands), commands
    x = y = 0.0
    for command, rest in COMMAND.findall(commands):
        numbers = [float(one) for one in NUMBER.findall(rest)]
        if command in "ML":
            for x, y in zip(numbers[::2], numbers[1::2], strict=True):
                yield x, y
        elif command in "ml":
            for right, down in zip(numbers[::2], numbers[1::2], strict=True):
                x, y = x + right, y + down
                yield x, y
        elif command in "HhVv":
            (by,) = numbers
            x = by if command == "H" else x + by if command == "h" else x
            y = by if command == "V" else y + by if command == "v" else y
            yield x, y
