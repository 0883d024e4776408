"""Which column holds which field. `--map` or a mapping file says it; else the columns' names do, or the shape of a known export."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from pathlib import Path

from features.files.chunk import Path_
from features.files.faults import FileRefused
from features.files.shapes import FIELDS, LIKELY, REQUIRED, Plan, Shape, recognised

CONSTANT = "="
"""A place that begins with this is not a place but the value itself; only `type` may have one."""
ADVICE = "say --map {0}"


def read_mapping(texts: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """Read a mapping such as `user=user_id,ts=event_time`. A field may have several places with bars between; the first that is filled counts.

    If a text names a .toml or .json file, the mapping is read from it: the table `[mapping]`, or the whole file if it has none.

    Raises
    ------
    FileRefused
        For an unknown field, a field that is given twice, or a text or file that is not a mapping.

    >>> read_mapping(["user=userId|anonymousId,ts=at", "type==click"])
    {'user': ('userId', 'anonymousId'), 'ts': ('at',), 'type': ('=click',)}
    """
    found: dict[str, tuple[str, ...]] = {}
    for text in texts:
        pairs = _from_file(Path(text)) if _is_file(text) else _from_text(text)
        for name, places in pairs:
            if name not in FIELDS:
                raise FileRefused(f"--map: an event has no field {name!r}; there are {', '.join(FIELDS)}", "mapping")
            if name in found:
                raise FileRefused(f"--map: {name} is given twice; put a bar between several places of one field: {name}=A|B", "mapping")
            if not places or not all(place.removeprefix(CONSTANT).strip() for place in places):
                raise FileRefused(f"--map: no place for {name}", "mapping")
            found[name] = places
    return found


def _is_file(text: str) -> bool:
    """Whether a text names a mapping file. A mapping may end in .json too, because a column may be called so."""
    path = Path(text)
    return path.suffix.lower() in {".toml", ".json"} and ("=" not in text or path.is_file())


def _from_text(text: str) -> list[tuple[str, tuple[str, ...]]]:
    pairs = []
    for one in filter(None, (part.strip() for part in text.split(","))):
        name, equals, place = one.partition("=")
        if not equals:
            raise FileRefused(f"--map: {one!r} is not of the form FIELD=COLUMN, such as user=user_id", "mapping")
        pairs.append((name.strip(), tuple(_choices(place))))
    return pairs


def _choices(place: str) -> list[str]:
    """Return the places of a field, which have bars between them. A constant is one place, because it may hold a bar."""
    return [place.strip()] if place.startswith(CONSTANT) else [part.strip() for part in place.split("|")]


def _from_file(file: Path) -> list[tuple[str, tuple[str, ...]]]:
    try:
        text = file.read_text(encoding="utf-8-sig")
        table = tomllib.loads(text) if file.suffix.lower() == ".toml" else json.loads(text)
    except FileNotFoundError:
        raise FileRefused(f"--map: {file}: no such file", "mapping") from None
    except RecursionError:
        raise FileRefused(f"--map: {file}: it is nested too deep", "mapping") from None
    except (ValueError, OSError) as error:  # both parsers' errors are ValueErrors
        raise FileRefused(f"--map: {file}: {error}", "mapping") from None
    table = table.get("mapping", table) if isinstance(table, dict) else None
    if not isinstance(table, dict):
        raise FileRefused(f"--map: {file}: it needs a table [mapping] with lines FIELD = COLUMN", "mapping")
    pairs = []
    for name, place in table.items():
        places = _choices(place) if isinstance(place, str) else place
        if not isinstance(places, list) or not all(isinstance(one, str) for one in places):
            raise FileRefused(f"--map: {file}: {name} must be the name of a column, or a list of them", "mapping")
        pairs.append((name, tuple(places)))
    return pairs


def plan_of(columns: Sequence[str], mapping: Mapping[str, tuple[str, ...]], *, nested: bool, constant_type: str = "") -> Plan:
    """Decide where each field is read.

    Parameters
    ----------
    columns : sequence of str
        Names of the file's columns; names from nested JSON have dots.
    mapping : mapping
        Places of fields as a person gave them (`read_mapping`).
    nested : bool
        Whether a column may be missing in the first rows and come later, as keys of JSON may.
    constant_type : str
        Type of all rows; empty if the file says it.

    Raises
    ------
    FileRefused
        If no column holds a field that every event must have; the message names the columns there are, and what to do.
    """
    there = set(columns)
    own: dict[str, tuple[str, ...]] = {name: (name,) for name in FIELDS if name in there or nested}
    if "type" not in there and "event" in there:
        own["type"] = ("event",)
    is_ours = {"user", "ts"} <= there and bool({"type", "event"} & there)
    shape = None if is_ours or set(REQUIRED) <= set(mapping) else recognised(columns)
    places: Mapping[str, tuple[str, ...]] = shape.places if shape else own
    given = {name: where for name, where in mapping.items() if not where[0].startswith(CONSTANT)}
    constants = [where[0][1:] for name, where in mapping.items() if name == "type" and where[0].startswith(CONSTANT)]
    if any(where[0].startswith(CONSTANT) for name, where in mapping.items() if name != "type"):
        raise FileRefused("--map: only type may be the same for all rows", "mapping")
    places = {**places, **given}
    constant = constant_type or (constants[0] if constants else "")
    if constant:
        places = {name: where for name, where in places.items() if name != "type"}
    kept = {name: tuple(path for one in where if (path := _path(one, there, nested=nested)) is not None) for name, where in places.items()}
    for name, where in given.items():
        lost = [one for one, path in ((one, _path(one, there, nested=False)) for one in where) if path is None]
        if lost and (len(lost) == len(where) or not nested):
            near = [close for one in lost if (close := _nearest(one, columns))]
            meant = f" (did you mean {', '.join(near)}?)" if near else ""
            raise FileRefused(f"--map: there is no column {', '.join(lost)} for {name}{meant}; there are {_listed(columns)}", "columns")
    missing = [
        name for name in REQUIRED
        if not (name == "type" and constant) and not any(_path(one, there, nested=False) for one in places.get(name, ()))
    ]  # fmt: skip
    if missing and (columns or not nested):  # if not even the first objects can be read, each row gets its own fault instead
        raise FileRefused(_missing(missing, columns, nested=nested), "columns")
    instead = shape.instead if shape else (("track", "event"),) if "event" in there and "type" in there and not constant else ()
    notes = [f"read as {shape.name}: {_told(kept, shape, there)}"] if shape else []
    if not shape and kept.get("type") == (("event",),):
        notes.append("type is read from the column event")
    if constant:
        notes.append(f"every row is of type {constant!r}")
    return Plan(
        {name: where for name, where in kept.items() if where},
        constant,
        tuple((kind, path) for kind, one in instead if (path := _path(one, there, nested=False)) is not None),
        shape.units if shape else ("ms",),
        shape.zone if shape else "",
        tuple(notes),
        shape.name if shape else "",
    )


def _path(place: str, there: set[str], *, nested: bool) -> Path_ | None:
    """Return a place as a path of keys, None if the file does not have it. A column whose own name has dots comes before a nested key."""
    if place in there and not any(place.startswith(f"{name}.") for name in there):
        return (place,)
    if place in there or nested:
        return tuple(place.split("."))
    return None


def _told(places: Mapping[str, tuple[Path_, ...]], shape: Shape, there: set[str]) -> str:
    seen = {name: [".".join(path) for path in where if ".".join(path) in there] for name, where in places.items()}
    pairs = [f"{name} = {' or '.join(where)}" for name, where in seen.items() if where]
    pairs += [f"the type of a {kind!r} is its {place}" for kind, place in shape.instead if place in there]
    return ", ".join(pairs)


def _nearest(name: str, columns: Sequence[str]) -> str:
    folded = {one.casefold(): one for one in columns if one}
    return next((folded[one] for one in get_close_matches(name.casefold(), folded, 1)), "")


def _listed(columns: Sequence[str]) -> str:
    named = [name for name in columns if name]
    return ", ".join(named[:30]) + (f" and {len(named) - 30} more" if len(named) > 30 else "") if named else "none"


def _missing(missing: Sequence[str], columns: Sequence[str], *, nested: bool) -> str:
    folded = {name.casefold().replace(" ", "_"): name for name in columns if name}
    likely = {
        field: next((folded[name] for name in LIKELY[field] if name in folded), None) for field in (*REQUIRED, "value", "item", "session")
    }
    guess = ",".join(f"{field}={likely[field] or 'COLUMN'}" for field in REQUIRED if field in missing)
    advice = (
        ADVICE.format(guess)
        + (" with the column's name" if "COLUMN" in guess else "")
        + (" (dots lead into nested JSON)" if nested else "")
    )
    if "type" in missing and likely["type"] is None:
        advice += ", or --type click when all rows are of one type"
    if any(name[:1].isdigit() for name in columns) or not columns or (len(columns) == 1 and not nested):
        advice += "; the first line must name the columns"
    if len(columns) == 1 and not nested:
        advice += ", and --sep tells what stands between them"
    return f"no column for {', '.join(missing)}; there are: {_listed(columns)}; {advice}"
