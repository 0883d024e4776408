"""Which small tables are made for other programs? The tables `[[tables]]` of the settings, each read into one `ScheduledTable`.

Whether its analysis or its question exists is known to who asks them (`insights.web.report.tables`).
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar
from urllib.parse import urlsplit

from stream.settings.lists import Field, ListOf, Values, read_each
from stream.settings.schedule import Scheduled, name_faults, schedule_faults, schedule_fields, schedule_of
from stream.settings.values import names_of, nearest, table_of, text_of

FORMS = ("parquet", "csv", "xlsx")
MOST = 200
_TABLE = re.compile(r"^([a-z_][a-z0-9_]{0,62}\.)?[a-z_][a-z0-9_]{0,62}$")


@dataclass(frozen=True, slots=True, kw_only=True)
class ScheduledTable(Scheduled):
    """One table that is made by itself, and takes the place of the one before.

    Attributes
    ----------
    analysis, parameters
        What is asked, as of a command; or
    question : str
        the name of a kept question; "" for none.
    folder : str
        Where files of it are written; "" for nowhere.
    forms : tuple of str
        Of `FORMS`: which files.
    table : str
        Of PostgreSQL, with its schema or without; "" for none.
    """

    analysis: str
    parameters: Mapping[str, Any]
    question: str
    folder: str
    forms: tuple[str, ...]
    table: str
    kind: ClassVar[str] = "table"
    repeatable: ClassVar[bool] = True

    @property
    def recipients(self) -> list[str]:
        """See `Scheduled`: the folder, and the table of PostgreSQL."""
        return [*([f"folder:{self.folder}"] if self.folder else []), *([f"table:{self.table}"] if self.table else [])]


def tables_of(raw: Sequence[object], zone: str, database: str, faults: list[str]) -> tuple[ScheduledTable, ...]:
    """Read the tables.

    Parameters
    ----------
    zone : str
        Of a table that names none.
    database : str
        Address of the PostgreSQL that takes them; "" for none.
    faults : list of str
        What is wrong is added, each with what to do.
    """
    fields = (
        Field("name", "", text_of), Field("analysis", "", text_of), Field("parameters", {}, table_of), Field("question", "", text_of), *schedule_fields("06:00", zone),
        Field("folder", "", text_of), Field("forms", (), names_of), Field("table", "", text_of),
    )  # fmt: skip
    found = read_each(ListOf("tables", MOST, "rows and files are"), raw, fields, _judged, _table, faults)
    into = [one.name for one in found if one.table]
    if into and not database:
        faults.append(f"bi.database: [[tables]] {into[0]} goes into PostgreSQL, so set CHURNWATCH_BI_DATABASE, or take its table out")
    if database and not _is_postgresql(database):  # not shown: there may be a password in it
        faults.append('bi.database: must be an address such as "postgresql://user:password@host/database"')
    return found


def _table(values: Values, _: Values) -> ScheduledTable:
    named = {name: values[name] for name in ("name", "analysis", "parameters", "question", "folder", "table")}
    return ScheduledTable(**named, forms=values["forms"] or FORMS[:1], **schedule_of(values))


def _judged(where: str, values: Values, _: Values) -> list[str]:
    wrong = name_faults(where, values["name"]) + schedule_faults(where, values, "table")
    if bool(values["analysis"]) == bool(values["question"]):
        wrong.append(f"{where}: name an analysis (docs/analyses.md) with its parameters, or a question that is kept (docs/boards.md)")
    if values["question"] and values["parameters"]:
        wrong.append(f"{where}.parameters: a kept question has its own: take them out, or name the analysis")
    wrong += [
        f"{where}.forms: any of {', '.join(FORMS)}, got {one!r}{nearest(one, list(FORMS))}" for one in values["forms"] if one not in FORMS
    ]
    if values["forms"] and not values["folder"]:
        wrong.append(f"{where}.folder: files need a folder: name it, or take forms out")
    if values["table"] and not _TABLE.match(values["table"]):
        wrong.append(
            f'{where}.table: small letters, digits and _, with a schema before it or without, such as "bi.retention", got {values["table"]!r}'
        )
    if not values["folder"] and not values["table"]:
        wrong.append(f'{where}: it would go nowhere: name a folder, or a table of PostgreSQL such as table = "retention"')
    return wrong


def _is_postgresql(address: str) -> bool:
    """Whether an address is one of a PostgreSQL.

    >>> _is_postgresql("postgresql://bi:secret@db.example/bi?sslmode=verify-full"), _is_postgresql("mysql://x/y"), _is_postgresql("postgresql://x")
    (True, False, False)
    """
    try:
        parts = urlsplit(address)
        return parts.scheme in {"postgresql", "postgres"} and bool(parts.path.strip("/"))
    except ValueError:
        return False
