"""The report says what the page Today says, in one file and one picture, and what changed since the last one."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from html import unescape
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import generate_latest
from starlette.testclient import TestClient

from insights.made.shelf import remove, save
from insights.made.things import Board, Question
from insights.store import reported
from insights.store.deliveries import known_since
from insights.store.reported import Reported
from insights.store.tables import REPORTED
from insights.web.app import make_app
from insights.web.report.changes import Since, changes
from insights.web.report.figures import KINDS, Figure, read, written
from insights.web.report.picture import svg_of
from insights.web.report.reports import Reports
from insights.web.report.runner import deliverer_of, show
from insights.web.report.tables import tables_deliverer
from insights.web.report.told import Told
from insights.words import LANGUAGES, words
from stream.settings.reports import ScheduledReport
from stream.settings.tables import ScheduledTable
from stream.shown import visible
from tests.servers.smtp import smtp_server
from tests.web.crowd_world import shown
from tests.web.world import HOSTILE, WebWorld

EN = words("en")
SINCE = Since("2026-11-19", "2026-11-26", "USD", ZoneInfo("UTC"))
FIGURE = st.builds(
    lambda count, more, cohort: Figure(count / (count + more) if count + more else 0.0, count, count + more, cohort),
    st.integers(0, 500), st.integers(1, 500), st.sampled_from(["2026-11-09", "2026-11-16"]),
)  # fmt: skip
PEOPLE = st.builds(Figure, st.integers(0, 9999), cohort=st.just(""))
FIGURES = st.fixed_dictionaries({}, optional={name: FIGURE if kind == "share" else PEOPLE for name, kind in KINDS.items()})


def test_changes_are_said_as_people_say_them() -> None:
    before = {
        "at_risk": Figure(44), "at_stake": Figure(900), "new": Figure(30, cohort="2026-11-09"), "d7": Figure(0.6, 60, 100, "2026-11-02"),
        "d1": Figure(0.5, 5, 10, "2026-11-09"), "d30": Figure(0.2, 2, 10, "2026-10-12"), "curr": Figure(0.5, 50, 100, "2026-11-17"),
    }  # fmt: skip
    now = {
        "at_risk": Figure(41), "at_stake": Figure(1204), "new": Figure(31, cohort="2026-11-16"), "d7": Figure(0.4, 40, 100, "2026-11-09"),
        "d1": Figure(0.4, 4, 10, "2026-11-16"), "d30": Figure(0.3, 3, 10, "2026-10-12"), "curr": Figure(0.5, 50, 100, "2026-11-24"),
    }  # fmt: skip
    told = changes(before, now, SINCE, EN)
    assert [one.said for one in told] == [
        "3 fewer at risk than a week ago: 41, was 44",
        "$304 more value at risk than a week ago: $1,204, was $900",
        "Day 7 of the week of Nov 9 is 20 points below the week of Nov 2: 40%, was 60%",
        "Day 30 of the week of Oct 12 was restated: 30%, was 20%",
        "1 more new people in the week of Nov 16 than in the week of Nov 9: 31, was 30",
        "No clear change: Day 1 and CURR",
    ]
    assert [(one.up, one.good) for one in told] == [
        (False, True), (True, False), (False, False), (None, None), (True, True), (None, None)
    ]  # fmt: skip
    assert changes(before, now, SINCE, words("zh"))[0].said == "流失风险用户比一周前少 3 人：41 人，此前 44 人"  # noqa: RUF001 - Chinese has a punctuation of its own


@given(FIGURES, FIGURES)
def test_whatever_is_told_is_so_and_told_alike_in_both_languages(before: dict[str, Figure], now: dict[str, Figure]) -> None:
    told = {lang: changes(before, now, SINCE, words(lang)) for lang in LANGUAGES}
    assert [one[1:] for one in told["en"]] == [one[1:] for one in told["zh"]]
    assert all("{" not in one.said for every in told.values() for one in every)
    both = [name for name in KINDS if name in before and name in now]
    moved = [name for name in both if now[name].cohort != before[name].cohort or not now[name].cohort]
    counts = [name for name in moved if KINDS[name] != "share"]
    ups = [name for name in counts if now[name].value > before[name].value]
    assert sum(one.up is True for one in told["en"]) >= len(ups)
    assert not changes(now, now, SINCE, EN) or changes(now, now, SINCE, EN)[0].up is None
    assert read(written(now)) == now


def text_of(html: str) -> str:
    return unescape(re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", html)))


@pytest.fixture(scope="module")
def reports(full: WebWorld) -> Iterator[Reports]:
    yield Reports(full.parts)
    with full.parts.store.write() as db:
        db.execute(REPORTED.delete())


@pytest.fixture(scope="module")
def first(reports: Reports) -> Told:
    return reports.told("en")


@pytest.mark.real_redis
def test_one_file_says_what_today_says_and_leads_nowhere(full: WebWorld, reports: Reports, first: Told) -> None:
    written = reports.html(first, "en")
    said, page = text_of(written), text_of(shown(full.browser(), "/today?lang=en"))
    assert "This is the first report." in said
    assert f"Report of {EN.date(first.as_of_ms, first.zone)} As of Nov 26, 2026" in said
    for one in (first.page.sentence, *(tile.value for tile in [*first.page.tiles, *first.page.four])):
        assert one
        assert one in page
        assert one in said
    assert not re.search(r"""<script|<form|<link|<iframe|@import|(?:src|href)=["'](?!#)|url\((?!#)""", written)
    assert not [one for one in HOSTILE if visible(one) in said], "a report names nobody"
    ids = re.findall(r'\bid="([^"]+)"', written)
    assert len(ids) == len(set(ids))
    assert "<title>Report of Nov 26, 2026</title>" in written


@pytest.mark.real_redis
def test_chosen_boards_follow_as_a_viewer_sees_them_and_one_that_is_gone_is_said(full: WebWorld, reports: Reports, first: Told) -> None:
    with full.parts.store.write() as db:
        kept = save(db, Question(title="Back by <week>", analysis="retention", parameters={"unit": "week"}), by="ann", now_ms=1)
        made = save(db, Board(title="Every Monday", questions=(kept.name,)), by="ann", now_ms=1)
    try:
        html = reports.html(first, "en", [made.name, "left"])
        said = text_of(html)
        assert "Every Monday" in said
        assert "Back by <week>" in said
        assert "The board left is not there any more" in said
        rows = re.findall(r"<tr.*?</tr>", shown(full.browser(), f"/boards/{made.name}?lang=en"), re.DOTALL)
        assert len(rows) > 4
        assert all(text_of(row).strip() in said for row in rows)
        assert not re.search(r"""<script|<form|<link|(?:src|href)=["'](?!#)""", html)
        ids = re.findall(r'\bid="([^"]+)"', html)
        assert len(ids) == len(set(ids))
    finally:
        with full.parts.store.write() as db:
            remove(db, Board, made.name, seen=1)
            remove(db, Question, kept.name, seen=1)


@pytest.mark.real_redis
def test_the_next_report_says_what_changed(full: WebWorld, reports: Reports, first: Told) -> None:
    was = {**first.figures, "at_risk": Figure(first.figures["at_risk"].value + 3)}
    with full.parts.store.write() as db:
        reported.keep(db, "weekly", Reported("2026-11-19", first.as_of_ms - 7 * 86_400_000, written(was)))
    told = reports.told("en", "weekly")
    assert told.changes is not None
    assert f"3 fewer at risk than a week ago: {first.figures['at_risk'].value:g}" in told.changes[0].said
    assert told.heading(EN) == "weekly, Nov 26, 2026"
    assert "What changed since the last report, a week ago (Nov 19, 2026)" in text_of(reports.html(told, "en"))
    reports.keep(told)
    again = reports.told("en", "weekly")
    assert again.changes == told.changes, "a report of the same day is not what it is compared with"


@pytest.mark.real_redis
@pytest.mark.parametrize("lang", LANGUAGES)
def test_the_picture_has_the_sentence_and_all_figures_and_nobody(reports: Reports, first: Told, lang: str) -> None:
    told = reports.told("zh") if lang == "zh" else first
    drawn = svg_of(told, "zh" if lang == "zh" else "en")
    said = "".join(re.findall(r"<text [^>]*>([^<]*)</text>", drawn)).replace(" ", "")
    for one in (told.page.sentence, *(tile.value for tile in told.page.tiles), *(one.nodes[0] for one in told.page.stops)):
        assert one.replace(" ", "") in unescape(said)
    assert reports.picture(told, "zh" if lang == "zh" else "en").startswith(b"\x89PNG")
    assert drawn.count("<svg ") == 3


@pytest.mark.real_redis
def test_a_report_that_is_due_comes_by_mail_once_whichever_page_sends_it_and_data_says_so(
    full: WebWorld, reports: Reports, tmp_path: Path
) -> None:
    with smtp_server() as (box, port):
        weekly = ScheduledReport(
            name="thursday",
            weekday=3,
            hour=8,
            minute=0,
            zone="UTC",
            lang="zh",
            to=("ann@example.org", "bob@example.org"),
            folder=str(tmp_path),
        )
        values = {
            **full.parts.settings.values,
            "mail.host": "localhost",
            "mail.port": port,
            "mail.tls": "none",
            "mail.from": "c@example.org",
        }
        table = ScheduledTable(
            name="who <buys>", weekday=None, hour=8, minute=0, zone="UTC", analysis="rfm", parameters={}, question="", folder=str(tmp_path / "t"),
            forms=("csv",), table="",
        )  # fmt: skip
        parts = replace(full.parts, settings=replace(full.parts.settings, values=values, reports=(weekly,), tables=(table,)))
        browser = TestClient(make_app(parts), base_url="http://127.0.0.1")
        with parts.store.write() as db:
            for what in ("report thursday", table.what):
                known_since(db, what, full.now_ms - 7 * 86_400_000)
        deliverers = [deliverer_of(parts, Reports(parts)) for _ in range(2)]
        show(parts)
        text = generate_latest(parts.metrics.registry).decode()
        overdue = re.search(r'churnwatch_report_overdue_seconds\{report="thursday"\} ([\d.]+)', text)
        assert overdue is not None
        assert float(overdue[1]) == 9 * 3600 + 20 * 60
        page = text_of(browser.get("/data?lang=en").text)
        assert "late 0 of 3 have that of Nov 26, 2026, 08:00 UTC" in page
        assert "Tables for other programs" in page
        assert "who <buys> late 0 of 1 places have that of Nov 26, 2026, 08:00 UTC" in page
        assert 'churnwatch_report_overdue_seconds{report="table who <buys>"}' in text
        assert [tables_deliverer(parts).look() for _ in range(2)] == [1, 0]
        assert (tmp_path / "t" / "who <buys>.csv").read_text().startswith("metric,")
        assert "who <buys> 已写入，但晚了 2026年11月26日 08:00 UTC 的一期" in text_of(browser.get("/data?lang=zh").text)  # noqa: RUF001 - as above
        box.refused.add("bob@example.org")
        assert [one.look() for one in deliverers] == [2, 0]
        assert "late 2 of 3 have that of Nov 26, 2026, 08:00 UTC: the mail server refused the recipient" in text_of(
            browser.get("/data?lang=en").text
        )
        show(parts)
        assert 'churnwatch_reports_total{outcome="failed",report="thursday"} 1.0' in generate_latest(parts.metrics.registry).decode()
    ((to, mail),) = box.mails
    assert (to, mail["Subject"]) == ("ann@example.org", "thursday，2026年11月26日")  # noqa: RUF001 - Chinese has a punctuation of its own
    said = mail.get_body(("plain",))
    assert said is not None
    assert reports.told("zh").page.sentence in said.get_content()
    (file,) = mail.iter_attachments()
    assert file.get_content().replace("\r\n", "\n") == (tmp_path / "thursday-2026-11-26.html").read_text()
    assert (tmp_path / "thursday-2026-11-26.png").read_bytes().startswith(b"\x89PNG")
