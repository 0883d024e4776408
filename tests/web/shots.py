"""Which pictures are taken of which pages? Rows of a table, and the sizes, themes and languages in which each page is seen."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from itertools import product
from types import MappingProxyType
from typing import Literal, NamedTuple

Theme = Literal["light", "dark"]
Lang = Literal["en", "zh"]


class Device(NamedTuple):
    """What somebody looks at: the width and height of its window, px, and whether it is held in a hand."""

    name: str
    width: int
    height: int
    is_phone: bool


LAPTOP, PHONE = Device("laptop", 1440, 900, False), Device("phone", 390, 844, True)
DEVICES, THEMES, LANGS = (LAPTOP, PHONE), ("light", "dark"), ("en", "zh")


class Page(NamedTuple):
    """One page in one state.

    Attributes
    ----------
    name : str
        Of the page, such as `at-risk`; several rows of a page differ in state.
    path : str
        Its address after the host, with its filters.
    state : str
        State of the world in which it is opened: `full`, or one that the builder of worlds knows.
    who : str
        Who looks: "admin", "viewer", or "" for somebody who has not signed in.
    status : int
        What the server answers.
    critical : bool
        Whether it is among those of which three more pictures are taken at every test.
    """

    name: str
    path: str
    state: str = "full"
    who: str = "admin"
    status: int = 200
    critical: bool = False


class Place(NamedTuple):
    """Where a world is served, and the cookies of those who have signed in there, by who they are."""

    url: str
    cookies: Mapping[str, Mapping[str, str]] = MappingProxyType({})


Worlds = Callable[[str], AbstractContextManager[Place]]
"""Serves a world in a state for as long as it is open."""


class Shot(NamedTuple):
    """One picture."""

    page: Page
    device: Device
    theme: Theme
    lang: Lang

    @property
    def name(self) -> str:
        """Names its file."""
        return "-".join((self.page.name, self.page.state, self.device.name, self.theme, self.lang))

    @property
    def path(self) -> str:
        """The address that asks for this language and theme, as a link does."""
        return f"{self.page.path}{'&' if '?' in self.page.path else '?'}lang={self.lang}&theme={self.theme}"


def every(pages: Iterable[Page]) -> list[Shot]:
    """Each page on each device, in each theme and language."""
    return [Shot(*one) for one in product(pages, DEVICES, THEMES, LANGS)]


def few(pages: Sequence[Page]) -> list[Shot]:
    """Each page once and each state once, and three more pictures of each critical page, so that every device, theme and language is seen."""
    names, states = {page.name: page for page in reversed(pages)}, {page.state: page for page in reversed(pages)}
    once = [page for page in pages if page in (names[page.name], states[page.state])]
    more = ((PHONE, "light", "en"), (PHONE, "dark", "zh"), (LAPTOP, "dark", "zh"))
    return [Shot(page, LAPTOP, "light", "en") for page in once] + [Shot(page, *one) for page in pages if page.critical for one in more]
