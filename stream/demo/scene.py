"""What does the demo play? A product with what is to be known of it, and what is said of its pages in the end. The plain one is here; others come from whoever starts the demo."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from stream.alerts.spoken import Lang
from stream.demo.product import CHANNELS, Product, make_product
from stream.demo.words import said
from stream.shown import Part


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """What is played.

    Attributes
    ----------
    title : str
        What the product is, in the language of the demo.
    lang : str
        Language in which the demo speaks.
    days : int
        Days that go by fast.
    timezone : str
        IANA zone of its days and hours.
    horizon_days : int
        A silence this long is called gone.
    key_events, channels, revenue_events, funnel : tuple of str
        As in the settings.
    make : callable
        Plays the product, given its first moment, ms, and for how many days.
    """

    title: str
    lang: Lang
    days: int
    timezone: str = "UTC"
    horizon_days: int = 14
    key_events: tuple[str, ...]
    channels: tuple[str, ...]
    revenue_events: tuple[str, ...]
    funnel: tuple[str, ...]
    make: Callable[[int, int], Product]


@dataclass(frozen=True, slots=True, kw_only=True)
class Crowd:
    """What the demo is told of the history, which it may not know itself.

    Attributes
    ----------
    held : callable
        How many events of the clicks are in the history in a folder, those that came twice included.
    seen : callable
        Looks at the pages, given a function that returns what an address shows; returns lines to print. It may take a minute.
    """

    held: Callable[[Path], int]
    seen: Callable[[str, Callable[[str], str]], Sequence[Sequence[Part]]]


def plain(*, days: int, users: int, seed: int, lang: Lang) -> Scene:
    """Return the product of `stream.demo.product`."""
    return Scene(
        title=said("plain", lang),
        lang=lang,
        days=days,
        key_events=("view", "click", "purchase", "error"),
        channels=CHANNELS,
        revenue_events=("purchase",),
        funnel=("view", "click", "purchase"),
        make=lambda start_ms, more: make_product(start_ms, more, users, seed),
    )
