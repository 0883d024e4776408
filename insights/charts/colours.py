"""Which colours are there? Each has a name and a value in the light and in the dark theme; page and charts use the names only.

A browser knows them as custom properties (`css`). Where there are none, as in a PNG or a mail, `resolve` puts the values in their place.
The tests hold them against contrast and against what colour-blind eyes see; red is kept for risk and silence.
"""

from __future__ import annotations

import re
from typing import Literal, NamedTuple

from insights.charts.eyes import mix, readable_on

Theme = Literal["light", "dark"]


class Colour(NamedTuple):
    """One colour in both themes."""

    light: str
    dark: str


COLOURS: dict[str, Colour] = {
    # grounds, and lines on them
    "bg": Colour("#f6f7f9", "#0e1216"),
    "surface": Colour("#ffffff", "#161b21"),
    "sunken": Colour("#eef1f4", "#1d242c"),
    "border": Colour("#dfe3e8", "#2a323c"),
    "grid": Colour("#e8ebef", "#252d36"),
    # text, from the strongest to the faintest
    "ink": Colour("#141a21", "#eef2f6"),
    "ink2": Colour("#465160", "#b4bfcb"),
    "ink3": Colour("#5f6978", "#8b98a7"),
    # what can be followed, and what a chart is about
    "accent": Colour("#0b6e8f", "#4fb6d8"),
    "accent_soft": Colour("#dceef4", "#12333f"),
    "on_accent": Colour("#ffffff", "#06151b"),
    # judgements: never without a word or sign beside them
    "good": Colour("#0f7a4b", "#4fc98d"),
    "good_soft": Colour("#dcf2e6", "#12352a"),
    "bad": Colour("#b3261e", "#ff7b70"),
    "bad_soft": Colour("#fbe4e1", "#43201f"),
    "warn": Colour("#8a5a00", "#f0b64b"),
    "warn_soft": Colour("#fdf0d5", "#3a2c10"),
    # risk bands: in order of lightness, too
    "critical": Colour("#6f1226", "#ff5c70"),
    "high": Colour("#bf3f16", "#ff9a4d"),
    "elevated": Colour("#bd7d00", "#ffe08c"),
    "low": Colour("#5f6978", "#8b98a7"),
    # what has no order, such as channels
    "c0": Colour("#0b6e8f", "#4fb6d8"),
    "c1": Colour("#a05001", "#fcaa2b"),
    "c2": Colour("#a66fbf", "#bd5caf"),
    "c3": Colour("#5b9d2c", "#3c9e40"),
    "c4": Colour("#75156b", "#72ef9e"),
    # ways of people
    "silence": Colour("#c8402a", "#ff7d66"),
    "node": Colour("#3c5468", "#9db3c7"),
    "flow": Colour("#8fa3b5", "#5b6e80"),
}
"""All colours but those of the heat scale."""
BANDS = ("critical", "high", "elevated", "low")
"""Colours of the risk bands, the riskiest first."""
UNORDERED = ("c0", "c1", "c2", "c3", "c4")
"""Colours of what has no order: at most five at a time."""
HEAT: dict[Theme, tuple[str, str, str]] = {"light": ("#e9f5f9", "#5fb3cf", "#064a63"), "dark": ("#16262e", "#2b7f9c", "#9fe4f8")}
"""Least, middle and most of the heat scale."""
STEPS = 20
"""Steps of the heat scale from nothing to all: `h0` to `h20`, and `hi0` to `hi20` for text on them."""
_USE = re.compile(r'="var\(--([a-z0-9_]+)\)"')


def heat(theme: Theme, share: float) -> str:
    """Return the colour of a share, cut to 0 to 1, on the heat scale.

    >>> heat("light", 0.0), heat("light", 0.5), heat("dark", 7)
    ('#e9f5f9', '#5fb3cf', '#9fe4f8')
    """
    least, middle, most = HEAT[theme]
    at = 2 * min(1.0, max(0.0, share))
    return mix(least, middle, at) if at <= 1 else mix(middle, most, at - 1)


def heat_name(share: float) -> str:
    """Return the name of the step that is nearest to a share.

    >>> heat_name(0.0), heat_name(0.5), heat_name(1.0)
    ('h0', 'h10', 'h20')
    """
    return f"h{round(STEPS * min(1.0, max(0.0, share)))}"


def values(theme: Theme) -> dict[str, str]:
    """Return all colours of a theme by name."""
    scale = [heat(theme, step / STEPS) for step in range(STEPS + 1)]
    return (
        {name: getattr(colour, theme) for name, colour in COLOURS.items()}
        | {f"h{step}": colour for step, colour in enumerate(scale)}
        | {f"hi{step}": readable_on(colour) for step, colour in enumerate(scale)}
    )


def css() -> str:
    """Return the colours as custom properties, by the system's theme, unless the root says `data-theme="light"` or `"dark"`; and a class for each step of heat."""
    light, dark = (
        "".join(f"--{name}:{value};" for name, value in values(theme).items()) + f"color-scheme:{theme}" for theme in ("light", "dark")
    )
    steps = "".join(f".h{step}{{background:var(--h{step});color:var(--hi{step})}}" for step in range(STEPS + 1))
    return f":root{{{light}}}{steps}@media(prefers-color-scheme:dark){{:root:not([data-theme=light]){{{dark}}}}}:root[data-theme=dark]{{{dark}}}"


def resolve(svg: str, theme: Theme) -> str:
    """Return a drawing with values in place of the names of colours, for where custom properties are not known.

    Only whole attributes are changed: in text, a quotation mark is always escaped, so what strangers write stays as it is.

    Raises
    ------
    KeyError
        For a name that there is not.

    >>> resolve('<rect fill="var(--accent)"/>', "dark")
    '<rect fill="#4fb6d8"/>'
    """
    named = values(theme)
    return _USE.sub(lambda found: f'="{named[found[1]]}"', str(svg))
