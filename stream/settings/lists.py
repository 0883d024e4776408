"""How are `[[reports]]`, `[[tables]]` and `[[watches]]` read? One by one, each by its fields; what is wrong is gathered, and each has a name of its own."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, Protocol, TypeVar

from stream.settings.values import nearest

Values = dict[str, Any]


class Named(Protocol):
    """What has a name."""

    @property
    def name(self) -> str:
        """By which it is known."""


T = TypeVar("T", bound=Named)


class Field(NamedTuple):
    """One setting of a table: its name, its value where it is left out, and what reads it (ValueError says what it must be)."""

    name: str
    default: Any
    read: Callable[[object], Any]


class ListOf(NamedTuple):
    """One list of tables.

    Attributes
    ----------
    name : str
        As in ``[[reports]]``.
    most : int
        So many there may be.
    by_name : str
        What is known by the name, so that there cannot be two, with its verb.
    """

    name: str
    most: int
    by_name: str


def read_each(
    of: ListOf,
    raw: Sequence[object],
    fields: Sequence[Field],
    judge: Callable[[str, Values, Values], list[str]],
    make: Callable[[Values, Values], T],
    faults: list[str],
    others: Sequence[str] = (),
) -> tuple[T, ...]:
    """Read the tables of a of.

    Parameters
    ----------
    judge, make : callable
        Are given the values as they were read, and as they stand in the file; `judge` the place first, as in ``reports[0]``, to say what is wrong, and `make` only those in which nothing is.
    faults : list of str
        What is wrong is added, each with what to do.
    others : sequence of str
        Settings that are no fields, which `judge` reads by itself.
    """
    found, keys = list[T](), [*(field.name for field in fields), *others]
    for index, table in enumerate(raw):
        where = f"{of.name}[{index}]"
        if not isinstance(table, dict):
            faults.append(f"{where}: must be a table, [[{of.name}]]")
            continue
        wrong = [f"{where}.{name}: unknown setting{nearest(name, keys)}" for name in table if name not in keys]
        values: Values = {}
        for name, default, read in fields:
            try:
                values[name] = read(table.get(name, default))
            except ValueError as error:
                wrong.append(f"{where}.{name}: {error}")
                values[name] = default
        wrong += judge(where, values, table)
        faults += wrong
        if not wrong:
            found.append(make(values, table))
    names = [one.name for one in found]
    twice = sorted({one for one in names if names.count(one) > 1})
    faults += [f"{of.name}: two are called {name!r}; {of.by_name} known by the name" for name in twice]
    if len(found) > of.most:
        faults.append(f"{of.name}: at most {of.most}, got {len(found)}")
    return tuple(found)
