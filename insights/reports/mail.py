"""How does mail leave? One message to one address by SMTP. It is known whether the server took it, refused it, or was gone before it said which.

::

    NotSent    the server has not taken it: it may be tried again
    Unsure     the server was gone after the whole message had been sent: it may have taken it, so it is not tried again
"""

from __future__ import annotations

import smtplib
import ssl
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from email.message import EmailMessage
from typing import Any, NamedTuple

TIMEOUT_S = 30.0


class NotSent(Exception):
    """It has not left; `why` is one word for it: connect, login, sender, recipient, message, made, or folder."""

    def __init__(self, why: str, said: str = "") -> None:
        super().__init__(f"{why}: {said}" if said else why)
        self.why = why


class Unsure(Exception):
    """It may have left, or not."""


class MailServer(NamedTuple):
    """The server that takes our mail.

    Attributes
    ----------
    tls : str
        "starttls", "tls" or "none".
    ca_file : str
        Of whoever signed its certificate; "" is the system's.
    sender : str
        Whom the mail comes from.
    """

    host: str
    port: int
    tls: str
    user: str
    password: str
    ca_file: str
    sender: str

    def __repr__(self) -> str:
        return f"MailServer({self.host}:{self.port})"  # a log of it shows no password


def mail_server(values: Any) -> MailServer:
    """Return the server that the settings name."""
    return MailServer(
        *(values[f"mail.{name}"] for name in ("host", "port", "tls", "user", "password", "ca_file", "from")),
    )


def send(server: MailServer, to: str, message: EmailMessage) -> None:
    """Send one message.

    Raises
    ------
    NotSent, Unsure
        See the module.
    """
    with _session(server) as smtp:
        _asked("sender", smtp.mail, server.sender)
        _asked("recipient", smtp.rcpt, to)
        data = message.as_bytes(policy=message.policy.clone(linesep="\r\n"))
        try:
            code, said = smtp.data(data)
        except smtplib.SMTPDataError as error:  # it wants no message at all, so none was sent
            raise NotSent("message", str(error.smtp_code)) from error
        except (OSError, smtplib.SMTPException) as error:
            raise Unsure(type(error).__name__) from error
        if code != 250:
            raise NotSent("message", f"{code} {said[:200].decode(errors='replace')}")


@contextmanager
def _session(server: MailServer) -> Iterator[smtplib.SMTP]:
    try:
        context = ssl.create_default_context(cafile=server.ca_file or None)
        if server.tls == "tls":
            smtp: smtplib.SMTP = smtplib.SMTP_SSL(server.host, server.port, timeout=TIMEOUT_S, context=context)
        else:
            smtp = smtplib.SMTP(server.host, server.port, timeout=TIMEOUT_S)
    except (OSError, smtplib.SMTPException) as error:
        raise NotSent("connect", type(error).__name__) from error
    try:
        _greet(smtp, server, context)
        yield smtp
    finally:
        with suppress(OSError, smtplib.SMTPException):
            smtp.quit()
        smtp.close()


def _greet(smtp: smtplib.SMTP, server: MailServer, context: ssl.SSLContext) -> None:
    try:
        if server.tls == "starttls":
            smtp.starttls(context=context)
        smtp.ehlo_or_helo_if_needed()
    except (OSError, smtplib.SMTPException) as error:
        raise NotSent("connect", type(error).__name__) from error
    if server.user:
        try:
            smtp.login(server.user, server.password)
        except (OSError, smtplib.SMTPException) as error:
            raise NotSent("login", type(error).__name__) from error


def _asked(why: str, ask: Any, address: str) -> None:
    try:
        code, said = ask(address)
    except (OSError, smtplib.SMTPException) as error:
        raise NotSent(why, type(error).__name__) from error
    if code not in {250, 251}:
        raise NotSent(why, f"{code} {said[:200].decode(errors='replace')}")
