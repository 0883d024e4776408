"""Mail to a real SMTP server: it arrives whole, and whatever goes wrong is known for what it is."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from insights.reports.due import Due
from insights.reports.mail import MailServer, NotSent, Unsure, send
from insights.web.report.message import Content, into_folder, message_of
from stream.demo.local_redis import free_port
from stream.settings.reports import ScheduledReport
from tests.servers.certificates import Certificates
from tests.servers.smtp import PASSWORD, USER, smtp_server

NOW_MS = 1_795_713_600_000
CONTENT = Content(
    "Bericht: 报告, Nov 26",
    ["3 fewer < at risk", "比一周前少 3 人", ".", "x" * 2000],
    "<html>报告" + "y" * 5000 + "</html>",
    b"\x89PNG picture",
)
REPORT = ScheduledReport(name="daily", weekday=None, hour=8, minute=0, zone="UTC", lang="zh", to=("ann@example.org",), folder="")
DUE = Due("2026-11-27", NOW_MS)


def server_at(port: int, **changed: object) -> MailServer:
    usual = MailServer("localhost", port, "none", "", "", "", "churnwatch@example.org")
    return usual._replace(**changed)  # type: ignore[arg-type]  # a test names the fields


def send_to(server: MailServer, to: str = "ann@example.org") -> None:
    send(server, to, message_of(CONTENT, REPORT, DUE, server.sender, to, NOW_MS))


def test_a_mail_arrives_whole() -> None:
    with smtp_server() as (box, port):
        send_to(server_at(port))
    ((to, mail),) = box.mails
    assert (to, mail["To"], mail["From"], mail["Subject"]) == (
        "ann@example.org", "ann@example.org", "churnwatch@example.org", "Bericht: 报告, Nov 26"
    )  # fmt: skip
    assert mail["Date"].datetime == datetime.fromtimestamp(NOW_MS / 1000, UTC)
    assert mail["Auto-Submitted"] == "auto-generated"
    text, html = mail.get_body(("plain",)), mail.get_body(("html",))
    assert text is not None
    assert html is not None
    assert text.get_content().replace("\r\n", "\n") == "\n".join(CONTENT.lines) + "\n"
    assert "<p>3 fewer &lt; at risk</p>" in html.get_content()
    assert 'src="cid:picture"' in html.get_content()
    (picture,) = [part for part in mail.walk() if part.get_content_type() == "image/png"]
    assert (picture["Content-ID"], picture.get_content()) == ("<picture>", CONTENT.picture)
    (file,) = mail.iter_attachments()
    assert (file.get_filename(), file.get_content().rstrip("\r\n")) == ("daily-2026-11-27.html", CONTENT.file)


def test_one_report_has_one_message_id_and_another_recipient_another() -> None:
    ids = [
        message_of(CONTENT, report, due, "a@example.org", to, at_ms)["Message-ID"]
        for report, due, to, at_ms in (
            (REPORT, DUE, "ann@example.org", 1), (REPORT, DUE, "ann@example.org", NOW_MS), (REPORT, DUE, "bob@example.org", 1),
            (REPORT, Due("2026-11-28", NOW_MS), "ann@example.org", 1),
        )
    ]  # fmt: skip
    assert ids[0] == ids[1]
    assert len(set(ids)) == 3


@pytest.mark.parametrize("tls", ["starttls", "tls"])
def test_mail_goes_over_tls_with_a_login_and_only_to_whom_its_ca_knows(tmp_path: Path, tls: str) -> None:
    made = Certificates(tmp_path)
    with smtp_server(certificate=made["server_and_key.pem"], starttls=tls == "starttls", login=tls == "starttls") as (box, port):
        named = {"user": USER, "password": PASSWORD} if tls == "starttls" else {}
        server = server_at(port, tls=tls, ca_file=made["ca.pem"], **named)
        send_to(server)
        assert len(box.mails) == 1
        with pytest.raises(NotSent, match="connect: SSLCertVerificationError"):
            send_to(server._replace(ca_file=made["other_ca.pem"]))
        if tls == "starttls":
            with pytest.raises(NotSent, match="login: "):
                send_to(server._replace(password="wrong"))  # noqa: S106 - no password of anybody's
        assert len(box.mails) == 1
        assert PASSWORD not in repr(server)


def test_what_the_server_did_not_take_may_be_tried_again_and_what_it_may_have_taken_may_not() -> None:
    with pytest.raises(NotSent, match="connect"):
        send_to(server_at(free_port()))
    with smtp_server() as (box, port):
        box.refused.add("bob@example.org")
        with pytest.raises(NotSent, match="recipient: 550"):
            send_to(server_at(port), "bob@example.org")
        box.full = True
        with pytest.raises(NotSent, match="message: 552"):
            send_to(server_at(port))
        box.hangs_up = True
        with pytest.raises(Unsure):
            send_to(server_at(port))
        assert not box.mails


def test_a_folder_gets_the_file_and_the_picture_and_nothing_half(tmp_path: Path) -> None:
    folder = tmp_path / "made" / "reports"
    for _ in range(2):
        into_folder(CONTENT, with_folder(folder), DUE)
    assert sorted(one.name for one in folder.iterdir()) == ["daily-2026-11-27.html", "daily-2026-11-27.png"]
    assert (folder / "daily-2026-11-27.html").read_text() == CONTENT.file
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(NotSent, match="folder"):
        into_folder(CONTENT, with_folder(tmp_path / "file"), DUE)


def with_folder(folder: Path) -> ScheduledReport:
    return ScheduledReport(name="daily", weekday=None, hour=8, minute=0, zone="UTC", lang="en", to=(), folder=str(folder))
