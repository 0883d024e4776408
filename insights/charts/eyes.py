"""What do eyes see of a colour? Contrast, even steps between colours, and how far two colours are apart for eyes of each kind.

Colours are texts such as "#0b6e8f". The tests hold the page's colours against these measures; the heat scale is mixed by them.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Literal, NamedTuple

Eyes = Literal["normal", "protan", "deutan", "tritan"]
Three = tuple[float, float, float]


class Lab(NamedTuple):
    """A colour in OKLab (Ottosson 2020): lightness 0 to 1, green to red, blue to yellow. Equal distances look equally far apart."""

    lightness: float
    a: float
    b: float


_SEEN: dict[Eyes, tuple[Three, Three, Three]] = {
    "protan": ((0.152286, 1.052583, -0.204868), (0.114503, 0.786281, 0.099216), (-0.003882, -0.048116, 1.051998)),
    "deutan": ((0.367322, 0.860646, -0.227968), (0.280085, 0.672501, 0.047413), (-0.011820, 0.042940, 0.968881)),
    "tritan": ((1.255528, -0.076749, -0.178779), (-0.078411, 0.930809, 0.147602), (0.004733, 0.691367, 0.303900)),
}
"""What is left of linear red, green and blue for eyes that lack one kind of cone, full severity: Machado, Oliveira and Fernandes 2009."""


def _linear(part: float) -> float:
    return part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4


def _display(part: float) -> float:
    part = min(1.0, max(0.0, part))
    return part * 12.92 if part <= 0.0031308 else 1.055 * part ** (1 / 2.4) - 0.055


def linear(colour: str) -> Three:
    """Return linear red, green and blue, 0 to 1."""
    red, green, blue = (_linear(int(colour[at : at + 2], 16) / 255) for at in (1, 3, 5))
    return red, green, blue


def _text(parts: Iterable[float]) -> str:
    return "#" + "".join(f"{round(_display(part) * 255):02x}" for part in parts)


def luminance(colour: str) -> float:
    """Return the relative luminance, 0 (black) to 1 (white), as WCAG 2 defines it."""
    red, green, blue = linear(colour)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    """Return the contrast of two colours, 1 to 21, as WCAG 2 defines it.

    >>> round(contrast("#000000", "#ffffff"), 6)
    21.0
    """
    dark, light = sorted((luminance(one), luminance(other)))
    return (light + 0.05) / (dark + 0.05)


def readable_on(colour: str) -> str:
    """Return black or white, whichever reads better on a colour.

    >>> readable_on("#e9f5f9"), readable_on("#064a63")
    ('#000000', '#ffffff')
    """
    return "#000000" if contrast("#000000", colour) >= contrast("#ffffff", colour) else "#ffffff"


def oklab(colour: str) -> Lab:
    """Return a colour in OKLab."""
    red, green, blue = linear(colour)
    long, middle, short = (
        math.cbrt(part)
        for part in (
            0.4122214708 * red + 0.5363325363 * green + 0.0514459929 * blue,
            0.2119034982 * red + 0.6806995451 * green + 0.1073969566 * blue,
            0.0883024619 * red + 0.2817188376 * green + 0.6299787005 * blue,
        )
    )
    return Lab(
        0.2104542553 * long + 0.7936177850 * middle - 0.0040720468 * short,
        1.9779984951 * long - 2.4285922050 * middle + 0.4505937099 * short,
        0.0259040371 * long + 0.7827717662 * middle - 0.8086757660 * short,
    )


def from_oklab(lab: Lab) -> str:
    """Return a colour of OKLab as text, cut to what a display can show."""
    long = (lab.lightness + 0.3963377774 * lab.a + 0.2158037573 * lab.b) ** 3
    middle = (lab.lightness - 0.1055613458 * lab.a - 0.0638541728 * lab.b) ** 3
    short = (lab.lightness - 0.0894841775 * lab.a - 1.2914855480 * lab.b) ** 3
    return _text(
        (
            4.0767416621 * long - 3.3077115913 * middle + 0.2309699292 * short,
            -1.2684380046 * long + 2.6097574011 * middle - 0.3413193965 * short,
            -0.0041960863 * long - 0.7034186147 * middle + 1.7076147010 * short,
        )
    )


def mix(one: str, other: str, share: float) -> str:
    """Return the colour that lies `share` (0 to 1) of the way from one to the other, in even steps for the eye.

    >>> mix("#000000", "#ffffff", 0), mix("#000000", "#ffffff", 1)
    ('#000000', '#ffffff')
    """
    start, end = oklab(one), oklab(other)
    return from_oklab(Lab(*(here + (there - here) * share for here, there in zip(start, end, strict=True))))


def seen(colour: str, eyes: Eyes) -> str:
    """Return what eyes of a kind see of a colour."""
    if eyes == "normal":
        return colour
    parts = linear(colour)
    return _text(sum(factor * part for factor, part in zip(row, parts, strict=True)) for row in _SEEN[eyes])


def distance(one: str, other: str, eyes: Eyes = "normal") -> float:
    """Return how far two colours are apart for eyes of a kind, 0 to 100; from about 8 on, lines of them are told apart at a glance.

    >>> round(distance("#000000", "#ffffff"))
    100
    """
    return 100 * math.dist(oklab(seen(one, eyes)), oklab(seen(other, eyes)))
