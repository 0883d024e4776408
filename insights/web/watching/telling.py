"""Who is told what a watch says? Its addresses by mail, once at most each; and the topic `metric_alerts`, once at least, in order, each event with its `alert_id` and type."""

from __future__ import annotations

import logging
import secrets
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from email.message import EmailMessage
from email.utils import format_datetime

from insights.reports.deliver import SENDING_MS
from insights.reports.mail import MailServer, NotSent, Unsure, mail_server, send
from insights.store import deliveries, watching
from insights.store.store import Db
from insights.store.watching import Told
from insights.watches.core import Event
from insights.web.parts import Parts
from insights.web.report.message import POLICY
from insights.web.watching.said import sentence
from insights.web.watching.watcher import EVENT
from insights.words import words
from stream.settings.watches import Watch

log = logging.getLogger(__name__)

NEW_MS = 86_400_000
"""An event is mailed within a day, or never: who comes back to the page after a week is not told of all that was."""
Publish = Callable[[Sequence[tuple[bytes, bytes]]], None]
"""Writes keys and values to the topic, and returns once Kafka has all of them."""


class Telling:
    """Tells what is new.

    Parameters
    ----------
    publish : callable, optional
        None: nothing stands on a topic.
    """

    def __init__(self, parts: Parts, publish: Publish | None) -> None:
        self._parts, self._publish, self._me = parts, publish, secrets.token_hex(8)
        self._server: MailServer = mail_server(parts.settings)

    def tell(self) -> None:
        """Tell everybody whatever they have not been told. Raises what `publish` raises, once the mails are out."""
        watches = {one.name: one for one in self._parts.settings.watches}
        with self._parts.store.read() as db:
            fresh = list(self._untold(db, watches))
            waiting = watching.unpublished(db)
        for told, to in fresh:
            self._mail(told, to)
        if self._publish is not None and waiting:
            on_topic = [one for one in waiting if one.watch not in watches or watches[one.watch].topic]
            if on_topic:
                self._publish([(one.watch.encode(), one.body.encode()) for one in on_topic])
            with self._parts.store.write() as db:
                watching.published(db, [one.id for one in waiting], self._parts.now_ms())

    def _untold(self, db: Db, watches: Mapping[str, Watch]) -> Iterator[tuple[Told, str]]:
        """Yield the events of the last day with each address that nobody is done with."""
        for told in watching.newest(db, self._parts.now_ms() - NEW_MS):
            if told.watch in watches:
                known = deliveries.deliveries(db, _what(told), str(told.id))
                yield from ((told, to) for to in watches[told.watch].to if to not in known or not known[to].is_over)

    def _mail(self, told: Told, to: str) -> None:
        what, period, store, now_ms = _what(told), str(told.id), self._parts.store, self._parts.now_ms()
        with store.write() as db:
            if not deliveries.claim(db, what, period, to, self._me, now_ms, now_ms + SENDING_MS):
                return
            deliveries.begin(db, what, period, to, self._me, now_ms, now_ms + SENDING_MS)
        state, why = "sent", ""
        try:
            send(self._server, to, self._message(EVENT.decode(told.body), to, period))
        except NotSent as error:
            state, why = "failed", error.why
        except Unsure:
            state, why = "unsure", "gone"
        if why:
            log.warning("what a watch says was not mailed", extra={"watch": told.watch, "why": why})
        with store.write() as db:
            deliveries.end(db, what, period, to, self._me, self._parts.now_ms(), state=state, why=why)

    def _message(self, event: Event, to: str, period: str) -> EmailMessage:
        w = words("en")
        message = EmailMessage(policy=POLICY)
        message["From"], message["To"] = self._server.sender, to
        message["Subject"] = w.t(f"watch.subject.{event.type}", name=event.watch)
        message["Date"] = format_datetime(datetime.fromtimestamp(self._parts.now_ms() / 1000, UTC))
        message["Message-ID"] = f"<{event.alert_id}.{event.type}.{period}@{self._server.sender.partition('@')[2]}>"
        message["Auto-Submitted"] = "auto-generated"
        url = self._parts.settings["page.url"]
        message.set_content("\n".join([sentence(event, w), *([f"{url}/data"] if url else [])]) + "\n")
        return message


def _what(told: Told) -> str:
    """Return what an event of a watch is called among deliveries."""
    return f"watch {told.watch}"
