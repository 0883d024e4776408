"""What is one thing that the page says? The same in each language, side by side, so that a change of one is seen in the other."""

from __future__ import annotations

from typing import Literal, NamedTuple, get_args

Lang = Literal["en", "zh"]
LANGUAGES: tuple[Lang, ...] = get_args(Lang)


class Said(NamedTuple):
    """One text in each language.

    Attributes
    ----------
    en, zh : str
        The text; `{name}` stands for a value.
    one : str
        The English for a value `n` of exactly one, where it reads otherwise. Chinese has one form.
    """

    en: str
    zh: str
    one: str = ""


def phrases(chinese: dict[str, str]) -> dict[str, Said]:
    """Return the words whose key is their English.

    >>> phrases({"Person": "用户"})
    {'Person': Said(en='Person', zh='用户', one='')}
    """
    return {english: Said(english, said) for english, said in chinese.items()}
