"""What changed in the product, and when? The tables `[[releases]]` of the settings file: releases, whose effect can be measured, and campaigns, which are marks.

Read here only as far as every part agrees on it; `insights.analyses.release` knows what it means.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from stream.settings.values import nearest, text_of

KINDS = ("release", "campaign")
_KEYS = ("name", "at", "kind", "touched")
MOST = 200


@dataclass(frozen=True, slots=True)
class Release:
    """One of them.

    Attributes
    ----------
    name : str
    at : str
        A day, which begins at midnight of `features.timezone`, or an instant: as ISO 8601 has them.
    kind : {"release", "campaign"}
    touched : str
        A condition on events by which whom it reached can be known, as in ``props.version=2.0``; "": everybody.
    """

    name: str
    at: str
    kind: str = "release"
    touched: str = ""

    @property
    def text(self) -> str:
        """The same as one text, as a command takes it.

        >>> Release("2.0", "2026-03-01", touched="props.version=2.0").text
        '2.0,at=2026-03-01,touched=props.version=2.0'
        """
        kind = f",kind={self.kind}" if self.kind != "release" else ""
        return f"{self.name},at={self.at}{kind}" + (f",touched={self.touched}" if self.touched else "")


def releases_of(raw: object, faults: list[str]) -> tuple[Release, ...]:
    """Read the tables; each fault is a sentence that says what to do."""
    tables = raw if isinstance(raw, list) else [raw]
    found = [one for one in (_release(f"releases[{at}]", table, faults) for at, table in enumerate(tables)) if one is not None]
    names = [one.name for one in found]
    faults += [
        f"releases: {name!r} is there twice; give each a name of its own" for name in sorted({one for one in names if names.count(one) > 1})
    ]
    if len(found) > MOST:
        faults.append(f"releases: at most {MOST}, got {len(found)}; leave out the oldest")
    return tuple(found)


def _release(where: str, raw: object, faults: list[str]) -> Release | None:
    if not isinstance(raw, dict):
        faults.append(f"{where}: must be a table, [[releases]]")
        return None
    before = len(faults)
    faults += [f"{where}.{name}: unknown setting{nearest(name, list(_KEYS))}" for name in raw if name not in _KEYS]
    try:
        at = raw.get("at", "")
        found = Release(
            text_of(raw.get("name", "")),
            at.isoformat() if isinstance(at, date) else text_of(at),
            text_of(raw.get("kind", "release")),
            text_of(raw.get("touched", "")),
        )
    except ValueError as error:
        faults.append(f"{where}: {error}")
        return None
    if not found.name.strip() or "," in found.name:
        faults.append(f"{where}.name: needs a name without a comma, got {found.name!r}")
    try:
        datetime.fromisoformat(found.at)
    except ValueError:
        faults.append(f'{where}.at: needs a day or an instant, as in "2026-03-01" or "2026-03-01T06:00", got {found.at!r}')
    if found.kind not in KINDS:
        faults.append(f'{where}.kind: "release" or "campaign", got {found.kind!r}')
    if found.touched and ("=" not in found.touched or "," in found.touched):
        faults.append(f'{where}.touched: needs one condition, as in "props.version=2.0", got {found.touched!r}')
    return found if len(faults) == before else None
