"""How a value is written in a settings file."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec


def toml_value(value: object) -> str:
    r"""Write a value; in a table, what is None is left out.

    >>> toml_value({"unit": "week", "steps": ("a\"b",), "k": 1, "all": True, "by": None})
    '{ "unit" = "week", "steps" = ["a\\"b"], "k" = 1, "all" = true }'
    """
    if isinstance(value, Mapping):
        inside = ", ".join(f"{toml_value(str(name))} = {toml_value(one)}" for name, one in value.items() if one is not None)
        return f"{{ {inside} }}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(toml_value, value)) + "]"
    return msgspec.json.encode(value).decode().replace("\x7f", "\\u007f")
