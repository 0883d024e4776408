"""Which reports come by themselves? The tables `[[reports]]` of the settings, each read into one `ScheduledReport`, and the mail server in `[mail]`."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

from stream.settings.lists import Field, ListOf, Values, read_each
from stream.settings.schedule import Scheduled, name_faults, schedule_faults, schedule_fields, schedule_of
from stream.settings.values import is_loopback, names_of, nearest, text_of

TLS = ("starttls", "tls", "none")
MOST = 50
"""Reports: each of them is a label of a metric."""
_MAILBOX = re.compile(r"^[^\s<>,;:\"()\[\]\\@]+@[^\s<>,;:\"()\[\]\\@]+$")
_HOST = re.compile(r"^[A-Za-z0-9.:_-]+$")


@dataclass(frozen=True, slots=True, kw_only=True)
class ScheduledReport(Scheduled):
    """One report that comes by itself.

    Attributes
    ----------
    to : tuple of str
        Addresses of mail.
    folder : str
        Where it is written, too; "" for nowhere.
    boards : tuple of str
        Names of boards that it shows behind Today.
    """

    lang: Literal["en", "zh"]
    to: tuple[str, ...]
    folder: str
    boards: tuple[str, ...] = ()
    kind: ClassVar[str] = "report"

    @property
    def recipients(self) -> list[str]:
        """See `Scheduled`: addresses, and the folder as such.

        >>> ScheduledReport(name="a", weekday=None, hour=8, minute=0, zone="UTC", lang="en", to=("ann@example.org",), folder="out").recipients
        ['ann@example.org', 'folder:out']
        """
        return [*self.to, *([f"folder:{self.folder}"] if self.folder else [])]


def reports_of(raw: Sequence[object], zone: str, faults: list[str]) -> tuple[ScheduledReport, ...]:
    """Read the tables.

    Parameters
    ----------
    zone : str
        Of a report that names none.
    faults : list of str
        What is wrong is added, each with what to do.
    """
    fields = (
        Field("name", "", text_of), *schedule_fields("08:00", zone), Field("lang", "en", text_of), Field("to", (), names_of), Field("folder", "", text_of),
        Field("boards", (), names_of),
    )  # fmt: skip
    return read_each(ListOf("reports", MOST, "what was sent is"), raw, fields, _judged, _report, faults)


def _report(values: Values, _: Values) -> ScheduledReport:
    named = {name: values[name] for name in ("name", "lang", "to", "folder", "boards")}
    return ScheduledReport(**named, **schedule_of(values))


def mailbox_faults(where: str, to: tuple[str, ...]) -> list[str]:
    """Judge addresses of mail."""
    wrong = [f'{where}.to: must be addresses such as "ann@example.org", got {one!r}' for one in to if not _MAILBOX.match(one)]
    return wrong + [f"{where}.to: {one!r} stands there twice" for one in sorted({one for one in to if to.count(one) > 1})]


def _judged(where: str, values: Values, _: Values) -> list[str]:
    wrong = name_faults(where, values["name"]) + schedule_faults(where, values, "report")
    if values["lang"] not in {"en", "zh"}:
        wrong.append(f'{where}.lang: "en" or "zh", got {values["lang"]!r}')
    if not values["to"] and not values["folder"]:
        wrong.append(f'{where}: nobody would get it: name addresses in to = ["ann@example.org"], or a folder')
    return wrong + mailbox_faults(where, values["to"])


def judge_mail(values: dict[str, Any], senders: Sequence[str], faults: list[str]) -> None:
    """Judge how mail is sent; `senders` are the tables that send some, such as `reports[0].to`."""
    if values["mail.tls"] not in TLS:
        faults.append(f"mail.tls: one of {', '.join(TLS)}, got {values['mail.tls']!r}{nearest(values['mail.tls'], list(TLS))}")
    if values["mail.host"] and not _HOST.match(values["mail.host"]):
        faults.append(f"mail.host: must be the name of a host, without a port, got {values['mail.host']!r}")
    if values["mail.password"] and not values["mail.user"]:
        faults.append("mail.user: a password is of no use without its user")
    if values["mail.user"] and values["mail.tls"] == "none" and not is_loopback(values["mail.host"]):
        faults.append("mail.tls: none would show the password to everybody on the way: set starttls or tls")
    if senders and not values["mail.host"]:
        faults.append(f"mail.host: {senders[0]} sends mail, so name the server that takes it")
    if senders and not _MAILBOX.match(values["mail.from"]):
        faults.append(
            f'mail.from: {senders[0]} sends mail, so name who it comes from, such as "churnwatch@example.org", got {values["mail.from"]!r}'
        )
