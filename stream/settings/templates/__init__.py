"""Which settings suit a product of a kind? One commented file each; its first line says what kind."""

from __future__ import annotations

from pathlib import Path

HERE = Path(__file__).parent


def templates() -> dict[str, str]:
    """Return each template's name with what it is for.

    >>> templates()["game"]
    'A game: several visits a day at first, and most leave within days.'
    """
    return {path.stem: path.read_text(encoding="utf-8").split("\n", 1)[0].removeprefix("# ") for path in sorted(HERE.glob("*.toml"))}


def template(name: str) -> str:
    """Return the text of one.

    Raises
    ------
    KeyError
        If there is none of this name.
    """
    if name not in templates():
        raise KeyError(name)
    return (HERE / f"{name}.toml").read_text(encoding="utf-8")
