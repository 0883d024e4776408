"""How does a report go out? As a mail whose text and picture say the most, with the file attached; or as files into a folder."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import UTC, datetime
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from html import escape
from pathlib import Path
from typing import NamedTuple

from insights.reports.due import Due
from insights.reports.mail import NotSent
from insights.web.report.told import Told
from insights.words import Lang, words
from stream.settings.reports import ScheduledReport

POLICY = SMTP.clone(cte_type="7bit")
"""Every server takes it, also one that knows no 8BITMIME."""


class Content(NamedTuple):
    """A report, ready to go out.

    Attributes
    ----------
    lines : list of str
        The most important of it, a sentence each.
    file : str
        The report as one HTML document.
    picture : bytes
        As a PNG; empty where no font can write it.
    """

    heading: str
    lines: list[str]
    file: str
    picture: bytes


def lines_of(told: Told, lang: Lang) -> list[str]:
    """Return what a mail says in words."""
    w = words(lang)
    since = [w.t("report.first")] if told.changes is None else [told.since, *(f"{one.sign} {one.said}" for one in told.changes)]
    return [line for line in (told.page.sentence, told.page.more, *since, *told.known(w)) if line]


def message_of(content: Content, report: ScheduledReport, due: Due, sender: str, to: str, now_ms: int) -> EmailMessage:
    """Return the mail to one address. Its id is the same whenever it is made, so that a mail program knows a repeat."""
    message = EmailMessage(policy=POLICY)
    message["From"], message["To"], message["Subject"] = sender, to, content.heading
    message["Date"] = format_datetime(datetime.fromtimestamp(now_ms / 1000, UTC))
    message["Message-ID"] = f"<{_digest(report.name, due.period, to)}@{sender.partition('@')[2]}>"
    message["Auto-Submitted"] = "auto-generated"
    message.set_content("\n".join(content.lines) + "\n")
    picture = '<p><img src="cid:picture" width="1176" style="max-width:100%;height:auto" alt=""></p>' if content.picture else ""
    body = "".join(f"<p>{escape(line)}</p>" for line in content.lines)
    message.add_alternative(
        f'<html lang="{"zh-Hans" if report.lang == "zh" else "en"}"><body>{body}{picture}</body></html>', subtype="html"
    )
    shown = message.get_body(("html",))
    if content.picture and shown is not None:
        shown.add_related(content.picture, "image", "png", cid="<picture>", filename="report.png", disposition="inline")
    message.add_attachment(content.file, subtype="html", filename=f"{report.name}-{due.period}.html")
    return message


def into_folder(content: Content, report: ScheduledReport, due: Due) -> None:
    """Write a report into its folder; see `put`."""
    files = {".html": content.file.encode(), ".png": content.picture}
    put(report.folder, {f"{report.name}-{due.period}{suffix}": data for suffix, data in files.items() if data})


def put(folder: str, files: Mapping[str, bytes]) -> None:
    """Write files into a folder, made if need be: a file is there whole or not at all, and one of the same name is replaced.

    Raises
    ------
    NotSent
    """
    where = Path(folder)
    try:
        where.mkdir(parents=True, exist_ok=True)
        for name, data in files.items():
            partly = where / f".{name}.part"
            partly.write_bytes(data)
            partly.replace(where / name)
    except OSError as error:
        raise NotSent("folder", str(error.strerror)) from error


def _digest(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:32]
