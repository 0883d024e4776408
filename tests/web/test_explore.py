"""Explore and the API of the analyses, over a real history: the same numbers as the command line, forms from the catalog, people for analysts only, SQL that only reads."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from html import unescape
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from features.store.redis import connect
from insights.analyses.as_plain import entry_of
from insights.analyses.catalog import CATALOG
from insights.asked.child import NoAnswer
from insights.asked.crew import WORDS as OF_REASONS
from insights.asked.crew import no_answer
from insights.asked.messages import Reason
from insights.live.engine import Engine
from insights.web.app import make_app
from insights.web.explore.form import form_of
from insights.web.faults import fault_said
from insights.web.parts import Parts, parts_over
from insights.words import words
from tests.insights.example import import_example, said
from tests.web.access.house import HERE, NOBODY, House, csrf_in, make_house

NOW_MS = 1_774_800_000_000


class Exploring(House):
    """A page over a history; `parts` are those of its one process."""

    parts: Parts

    def open(self) -> TestClient:
        self.parts = parts_over(self.settings, Engine(connect(NOBODY), "app"), self.store, lambda: None, lambda: self.now_ms)
        self.apps.append(make_app(self.parts))
        return self.browser()

    def close(self) -> None:
        self.parts.asked.close()
        self.store.close()


def exploring(folder: Path, **settings: Any) -> Exploring:
    made = make_house(folder, **settings)
    return Exploring(made.settings, made.store, now_ms=NOW_MS)


@pytest.fixture(scope="module")
def history(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return import_example(tmp_path_factory.mktemp("example"))


@pytest.fixture(scope="module")
def page(history: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Exploring]:
    made = exploring(tmp_path_factory.mktemp("page"), history__dir=str(history), page__address="127.0.0.1:6080")
    made.open()
    yield made
    made.close()


@pytest.fixture
def anyone(page: Exploring) -> TestClient:
    """This machine, where nobody has an account: may do everything."""
    return page.browser()


@pytest.fixture(scope="module")
def bearer(page: Exploring) -> Callable[..., TestClient]:
    def made(*scopes: str) -> TestClient:
        client = page.browser()
        client.headers["Authorization"] = f"Bearer {page.token(*scopes, name='-'.join(scopes))}"
        return client

    return made


def settled(client: TestClient, address: str, **params: Any) -> Any:
    """The page once what it asks for has been counted."""
    client.get(
        f"/api/v1/analyses/{params['analysis']}",
        params={**{k: v for k, v in params.items() if k not in {"analysis", "lang"}}, "wait": "60"},
    )
    return client.get(address, params=params)


def parameters_of(example: tuple[str, ...]) -> dict[str, Any]:
    """What the words of a command say, as parameters."""
    one, named, left = CATALOG[example[0].replace("-", "_").replace("hours_of_day", "hours")], {}, list(example[1:])
    while left:
        word = left.pop(0)
        if word.startswith("--"):
            option, value = word[2:].replace("-", "_"), left.pop(0)
            named[option] = (
                [*named[option], value] if isinstance(named.get(option), list) else [named[option], value] if option in named else value
            )
        else:
            named.setdefault(str(one.arguments), []).append(word)
    return named


@pytest.mark.parametrize("name", CATALOG)
def test_the_api_says_what_the_command_line_says(name: str, anyone: TestClient, history: Path) -> None:
    example = CATALOG[name].example
    answer = anyone.get(f"/api/v1/analyses/{name}", params={**parameters_of(example), "wait": 60})
    assert answer.status_code == 200, answer.text
    told = json.loads(said(history, [*example, "--json"]))
    assert {"as_of": answer.json()["as_of"], "rows": answer.json()["rows"]} == told
    posted = anyone.post(f"/api/v1/analyses/{name.replace('_', '-')}", json=parameters_of(example), headers={"Origin": HERE})
    assert posted.json()["rows"] == told["rows"]


def test_what_is_not_counted_yet_is_202_and_there_the_next_time(anyone: TestClient) -> None:
    asked = {"unit": "day", "follow": 3}
    first = anyone.get("/api/v1/analyses/retention", params={**asked, "wait": 0})
    assert (first.status_code, first.json()["state"], first.headers["Retry-After"]) == (202, "running", "1")
    then = anyone.get("/api/v1/analyses/retention", params={**asked, "wait": 60})
    assert (then.status_code, then.json()["state"], then.json()["parameters"]["follow"]) == (200, "ready", 3)


def test_the_catalog_and_the_document_have_every_analysis(anyone: TestClient) -> None:
    listed = anyone.get("/api/v1/analyses").json()["analyses"]
    assert [one["name"] for one in listed] == list(CATALOG)
    assert listed[0]["question"]["zh"] != listed[0]["question"]["en"]
    paths = anyone.get("/api/v1/openapi.json").json()["paths"]
    for one in CATALOG.values():
        found = paths[f"/analyses/{one.name}"]
        assert {"get", "post"} <= found.keys()
        named = {parameter["name"] for parameter in found["get"]["parameters"]}
        assert {parameter.name for parameter in entry_of(one).parameters} <= named
        assert all(parameter["description"] for parameter in found["get"]["parameters"])


@pytest.mark.parametrize(
    ("address", "status", "says"),
    [
        ("retention?colour=red", 422, "colour"),
        ("retention?unit=year", 422, "hour, day, week, month"),
        ("retention?by=colour", 422, "there is no field"),
        ("retention?follow=x", 422, "follow"),
        ("retention?wait=900", 422, "wait"),
        ("retention?users=monday", 422, "names no cell"),
        ("funnel", 422, "steps"),
        ("retantion", 404, "did you mean retention"),
        ("clusters?like=/etc/passwd", 422, "like"),
    ],
)
def test_a_wrong_question_is_a_problem_that_names_the_mistake(address: str, status: int, says: str, anyone: TestClient) -> None:
    answer = anyone.get(f"/api/v1/analyses/{address}")
    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json"), answer.text
    assert says in answer.json()["detail"]
    assert answer.json()["status"] == status


def test_people_are_for_who_may_see_them(bearer: Callable[..., TestClient]) -> None:
    viewer, analyst, sender = bearer("read:aggregates"), bearer("read:aggregates", "read:people"), bearer("write:events")
    asked = {"unit": "week", "wait": "60"}
    rows = viewer.get("/api/v1/analyses/retention", params=asked).json()["rows"]
    cell = next(row for row in rows if row["metric"] == "retention" and row["k"] == 1 and row["n"] > 3)
    asked["users"] = f"cohort={cell['cohort']},k=1"
    refused = viewer.get("/api/v1/analyses/retention", params=asked)
    assert (refused.status_code, refused.json()["type"]) == (403, "urn:churnwatch:problem:forbidden")
    assert len(analyst.get("/api/v1/analyses/retention", params=asked).json()["users"]) == cell["n"]
    assert sender.get("/api/v1/analyses/retention").status_code == 403


def test_without_a_history_it_is_said_how_to_make_one(tmp_path: Path) -> None:
    made = exploring(tmp_path, history__dir=str(tmp_path / "none"))
    browser = made.open()
    answer = browser.get("/api/v1/analyses/retention")
    shown = browser.get("/explore")
    assert 'href="/explore"' not in browser.get("/data").text
    made.close()
    assert (answer.status_code, answer.json()["type"]) == (503, "urn:churnwatch:problem:no-history")
    assert "history import" in answer.json()["detail"]
    assert "churnwatch history import" in shown.text
    assert str(tmp_path / "none") in shown.text


# the page


def test_every_analysis_has_its_form(anyone: TestClient) -> None:
    listed = anyone.get("/explore").text
    assert 'aria-current="page"' in listed
    for one in CATALOG.values():
        assert f'href="/explore?analysis={one.name}"' in listed


@pytest.mark.parametrize("lang", ["en", "zh"])
@pytest.mark.parametrize("name", CATALOG)
def test_a_form_has_a_field_with_words_for_each_parameter(name: str, lang: Any) -> None:
    entry, w = entry_of(CATALOG[name]), words(lang)
    form = form_of(entry, {}, w, persons=True)
    fields = [*form.first, *form.more]
    assert {field.name for field in fields} == {one.name for one in entry.parameters}
    assert all(field.label and field.about for field in fields)
    assert not form.open
    other = next(one for one in entry.parameters if one.name in {field.name for field in form.more})
    assert form_of(entry, {other.name: "1"}, w, persons=True).open


@pytest.mark.parametrize("reason", [one for one in Reason.__args__ if one not in {"usage", "no_history"}])  # type: ignore[attr-defined]  # of a Literal
def test_each_refusal_has_words(reason: str) -> None:
    for lang in ("en", "zh"):
        assert words(lang).t(f"explore.{reason}")  # type: ignore[arg-type]  # both are languages
        assert words(lang).t(f"explore.{reason}.do")  # type: ignore[arg-type]  # as above


def test_an_answer_has_its_table_its_as_of_and_its_files(anyone: TestClient, history: Path) -> None:
    shown = settled(anyone, "/explore", analysis="retention", unit="week", lang="en")
    assert shown.status_code == 200
    assert "As of Mar 29, 2026" in shown.text
    assert "All cohorts" in shown.text
    assert "users=metric" in shown.text
    csv = anyone.get("/explore/file/csv", params={"analysis": "retention", "unit": "week"})
    assert csv.text.splitlines() == said(history, ["retention", "--unit", "week", "--csv"]).splitlines()
    assert "attachment" in csv.headers["content-disposition"]
    told = anyone.get("/explore/file/json", params={"analysis": "retention", "unit": "week"}).json()
    assert told == json.loads(said(history, ["retention", "--unit", "week", "--json"]))
    assert anyone.get("/explore/file/parquet", params={"analysis": "retention", "unit": "week"}).content[:4] == b"PAR1"
    assert anyone.get("/explore/file/exe", params={"analysis": "retention"}).status_code == 422


def test_a_number_leads_to_its_people(anyone: TestClient) -> None:
    asked = {"analysis": "retention", "unit": "week", "users": "metric=retention,cohort=2026-02-02,k=1"}
    shown = anyone.get("/explore", params=asked)
    assert 'href="/person?q=p' in shown.text
    listed = anyone.get("/explore/file/csv", params=asked).text.splitlines()
    assert listed[0].startswith("user,")
    assert len(listed) - 1 == shown.text.count('href="/person?q=')


def test_a_viewer_sees_no_people(bearer: Callable[..., TestClient], anyone: TestClient) -> None:
    viewer, asked = bearer("read:aggregates"), {"analysis": "retention", "unit": "week"}
    settled(anyone, "/explore", **asked)
    shown = viewer.get("/explore", params={**asked, "lang": "en"}).text
    assert "All cohorts" in shown
    assert "users=" not in shown
    assert "shown to analysts" in shown
    for address in ("/explore", "/explore/file/csv"):
        answer = viewer.get(address, params={**asked, "users": "metric=retention,cohort=2026-02-02,k=1"})
        assert (answer.status_code, "users" in answer.headers["location"]) == (303, address != "/explore")
    assert viewer.get("/explore/sql").status_code == 403
    assert "/explore/sql" not in viewer.get("/explore").text


def test_a_wrong_question_keeps_the_form(anyone: TestClient) -> None:
    shown = anyone.get("/explore", params={"analysis": "retention", "since": "monday", "lang": "en"})
    if shown.headers.get("refresh"):
        shown = settled(anyone, "/explore", analysis="retention", since="monday", lang="en")
    assert shown.status_code == 422
    assert "is no day" in shown.text
    assert 'value="monday"' in shown.text
    assert anyone.get("/explore", params={"analysis": "fame"}).status_code == 422


ENGLISH = re.compile(r"\b[a-z]{2,} [a-z]{2,} [a-z]{2,}\b")
"""Three words in a row, which no name, field or value here has."""
WRONG: list[tuple[str, dict[str, str]]] = [
    ("retention", {"since": "yesterday"}), ("retention", {"since": "2026-03-20", "until": "2026-03-01"}), ("retention", {"unit": "year"}),
    ("retention", {"follow": "x"}), ("retention", {"follow": "-1"}), ("retention", {"min_returns": "0"}), ("retention", {"brackets": "9-1"}),
    ("retention", {"brackets": "1", "mode": "on_or_after"}), ("retention", {"window": "24h", "unit": "hour"}), ("retention", {"by": "colour"}),
    ("retention", {"where": "colour=red"}), ("retention", {"where": "red"}), ("retention", {"where": "value>=red"}), ("retention", {"segment": "nobody"}),
    ("retention", {"users": "monday"}), ("retention", {"users": "metric=fame"}), ("retention", {"users": "k=x"}), ("retention", {"users": "k=1"}),
    ("retention", {"users": "cohort=2020-01-06,k=1"}), ("retention", {"users": "cohort=2026-02-02,k=1,group=ads"}),
    ("active_users", {"month_days": "1"}), ("active_users", {"users": "k=1"}), ("daily_states", {"max_dormant_days": "-1"}),
    ("funnel", {"steps": "signup", "window": "soon"}), ("funnel", {"steps": "\n".join(["view"] * 40)}), ("funnel", {"steps": "view", "by_step": "7"}),
    ("funnel", {"steps": "view\nbuy", "exclude": "5-1:refund"}), ("funnel", {"steps": "view", "among": "buy"}), ("after_drop_off", {"steps": "view\nbuy", "stopped_at": "9"}),
    ("loss_to_come", {"steps": "view"}),  ("paths", {"depth": "900"}), ("paths", {"node": "colour"}),
    ("paths_into_silence", {"last": "0"}), ("feature_use", {"used_within": "0"}), ("retained_against_churned", {"figure_days": "0"}),
    ("retention_forecast", {"record": "-1"}), ("rfm", {"recency_bounds": "1\n2"}), ("reasons", {"definition": "nothing"}), ("releases", {"releases": "big one"}),
    ("releases", {"return_within": "900"}),
]  # fmt: skip
"""What people get wrong: a day, a field, a window, a border, a cell; and what this history cannot answer."""


@pytest.mark.parametrize(("name", "asked"), WRONG)
def test_on_the_chinese_page_what_is_wrong_is_said_in_chinese(name: str, asked: dict[str, str], anyone: TestClient) -> None:
    shown = settled(anyone, "/explore", analysis=name, lang="zh", **asked)
    assert shown.status_code == 422
    alert = unescape(re.sub("<[^>]+>", " ", shown.text.partition('role="alert"')[2].partition("</section>")[0]))
    body = alert.partition("提问内容有误")[2]
    assert re.search("[\u4e00-\u9fff]", body), alert
    assert not ENGLISH.search(re.sub("`[^`]*`", "", body)), alert


@pytest.mark.parametrize("reason", OF_REASONS)
def test_why_nothing_was_computed_is_said_in_chinese(reason: Reason) -> None:
    said = fault_said(no_answer(NoAnswer(reason)), words("zh"))
    assert not ENGLISH.search(said)
    assert said != no_answer(NoAnswer(reason)).words


def test_what_is_asked_is_never_markup(anyone: TestClient) -> None:
    shown = settled(anyone, "/explore", analysis="funnel", steps="<script>alert(1)</script>\n<b>x</b>", lang="en")
    assert "<script>alert" not in shown.text
    assert "&lt;script&gt;" in shown.text


# SQL


def sql(client: TestClient, text: str, **more: str) -> Any:
    csrf = csrf_in(client.get("/explore/sql").text)
    return client.post("/explore/sql", data={"csrf": csrf, "q": text, **more}, headers={"Origin": HERE})


def test_sql_answers_in_a_table_and_in_files(anyone: TestClient) -> None:
    asked = "select type, count(*) as n from events group by type order by n desc, type"
    shown = sql(anyone, asked)
    assert shown.status_code == 200
    assert "identify" in shown.text
    assert sql(anyone, asked, **{"as": "csv"}).text.splitlines()[0] == "type,n"
    assert len(sql(anyone, asked, **{"as": "json"}).json()["rows"]) == 4


@pytest.mark.parametrize(
    "text",
    [
        "select * from read_csv('/etc/passwd')",
        "select * from '/etc/passwd'",
        "select * from read_text('/proc/self/environ')",
        "select * from glob('/*')",
        "copy (select 1) to '/tmp/stolen.csv'",
        "copy (select 1) to '{history}/events/stolen.parquet'",
        "attach '/tmp/other.db'",
        "install httpfs",
        "load httpfs",
        "pragma database_list; select 1",
        "set memory_limit = '100GB'",
        "select 1; select 2",
        "create table x as select 1",
        "drop view events",
        "select getenv('HOME')",
        "select * from duckdb_secrets()",
        "export database '/tmp/all'",
    ],
)
def test_sql_only_reads_the_history(text: str, anyone: TestClient, history: Path) -> None:
    files = sorted(history.rglob("*"))
    answer = sql(anyone, text.format(history=history))
    if text == "select * from duckdb_secrets()":
        assert "CREATE" not in answer.text
    else:
        assert answer.status_code == 422, answer.text
        assert 'role="alert"' in answer.text
    for word in ("root:", "PATH=", "/root", str(history.parent)):
        assert word not in unescape(answer.text).replace(text.format(history=history), "")
    assert sorted(history.rglob("*")) == files
    assert not Path("/tmp/stolen.csv").exists()  # noqa: S108 - what the attack would make


def test_sql_needs_its_own_form(anyone: TestClient) -> None:
    assert anyone.post("/explore/sql", data={"q": "select 1", "csrf": "x"}, headers={"Origin": HERE}).status_code == 403
    assert anyone.post("/explore/sql", data={"q": "select 1"}, headers={"Origin": "http://evil.example"}).status_code == 403
