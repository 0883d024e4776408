"""A real SMTP server in a thread: what it was given, and how it may refuse."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from typing import Any, cast

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, Envelope, LoginPassword, Session

from stream.demo.local_redis import free_port

USER, PASSWORD = "page", "opens-the-mail"


class MailBox:
    """What came.

    Attributes
    ----------
    mails : list of (recipient, message)
    refused : set of str
        Recipients that it does not take.
    full : bool
        Whether it refuses every message once it has read it.
    hangs_up : bool
        Whether it hangs up once it has read a message, without a word.
    """

    def __init__(self) -> None:
        self.mails: list[tuple[str, EmailMessage]] = []
        self.refused: set[str] = set()
        self.full = self.hangs_up = False

    async def handle_RCPT(self, server: Any, session: Session, envelope: Envelope, address: str, options: list[str]) -> str:  # noqa: N802 - aiosmtpd calls it so
        """See aiosmtpd."""
        if address in self.refused:
            return "550 no such mailbox"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: Any, session: Session, envelope: Envelope) -> str:  # noqa: N802 - aiosmtpd calls it so
        """See aiosmtpd."""
        if self.hangs_up:
            server.transport.abort()
            return "250 never heard"
        if self.full:
            return "552 the mailbox is full"
        message = message_from_bytes(cast("bytes", envelope.content), policy=default)
        self.mails += [(to, cast("EmailMessage", message)) for to in envelope.rcpt_tos]
        return "250 taken"


@contextmanager
def smtp_server(*, certificate: str = "", starttls: bool = False, login: bool = False) -> Iterator[tuple[MailBox, int]]:
    """Give a server on this machine and its port.

    Parameters
    ----------
    certificate : str
        PEM file with key and certificate; "" for no TLS.
    starttls : bool
        TLS is asked for; else it is there from the beginning.
    login : bool
        Whether `USER` must log in.
    """
    box, options = MailBox(), dict[str, Any]()
    if certificate:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(certificate)
        options |= {"tls_context": context, "require_starttls": True} if starttls else {"ssl_context": context}
    if login:
        wanted = LoginPassword(USER.encode(), PASSWORD.encode())
        options |= {
            "auth_required": True,
            "auth_require_tls": starttls,
            "authenticator": lambda *given: AuthResult(success=given[-1] == wanted),
        }
    port = free_port()  # the controller connects to itself, so it must know the port beforehand
    controller = Controller(box, hostname="localhost", port=port, **options)
    controller.start()
    try:
        yield box, port
    finally:
        controller.stop()
