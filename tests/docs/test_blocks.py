"""The tutorials' blocks are typed in order in one shell a page, from an empty folder; of other pages it is said what guards them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from stream.demo.local_redis import LocalRedis
from tests.docs.blocks import ROOT, Block, blocks_of
from tests.docs.shell import Shell
from tests.servers.ports import free_port
from tests.test_docs import nav

UNTRIED: dict[str, str] = {
    "make setup": "makes what the tests run in; CI begins with it",
    'export PATH="$PWD/.venv/bin:$PATH"': "the shell of the test has a churnwatch of its own",
    "make demo": "plays until Ctrl-C; tests/stream/test_demo.py runs it",
    "promtool check rules deploy/rules/churnwatch.yml": "tests/test_runbook.py does, where there is a promtool",
    "promtool test rules deploy/rules/tests.yml": "tests/test_runbook.py does, where there is a promtool",
}
"""Lines of tutorials that are not typed, each with what guards it."""
TYPED = ("docs/tutorial-growth", "docs/tutorial-growth.zh", "docs/tutorial-engagement", "docs/tutorial-sre")
ELSEWHERE: dict[str, str] = {
    "docs/api": "tests/web/api/test_docs.py runs each block",
    "CONTRIBUTING": "tests/test_contributing.py runs its programs; its commands are make and git",
    "README": "commands and options are checked, not run: it lists what there is, on files and servers that are the reader's",
    "SECURITY": "commands and options are checked; tutorials run `config key`",
    "docs/boards": "commands and options are checked; tests/stream/test_segment_commands.py runs them",
    "docs/erasing": "commands and options are checked; the SRE's tutorial erases",
    "docs/files": "commands and options are checked; tests/features/files reads each form",
    "docs/history": "commands and options are checked; tests/insights/history runs them",
    "docs/page-access": "commands and options are checked; tests/web/access runs them",
    "docs/scenarios": "commands and options are checked; the growth lead's tutorial simulates",
    "docs/security": "variables of a broker and a Redis with certificates; tests/stream/test_security.py has both",
}
"""Pages with commands that are not typed here, each with what guards it. tests/test_commands_in_docs.py checks commands and options of all."""


def tried(page: str) -> list[Block]:
    """The blocks of a page that run, without the lines that do not."""
    found = []
    for block in blocks_of(page):
        if block.typed or block.language == "python":
            lines = [line for line in block.text.splitlines() if line not in UNTRIED]
            found.append(block._replace(text="".join(f"{line}\n" for line in lines)))
    return found


@pytest.fixture
def shell(tmp_path: Path) -> Iterator[Shell]:
    made = Shell(tmp_path)
    yield made
    made.close()


@pytest.mark.timeout(900)
def test_the_growth_lead_sees_what_their_tutorial_says(shell: Shell) -> None:
    said = shell.run(tried("docs/tutorial-growth.md"), {"127.0.0.1:6080": f"127.0.0.1:{free_port()}"}, {})
    table = next(block.text for block in blocks_of("docs/tutorial-growth.md") if block.language == "text")
    for line in table.splitlines():
        assert line in said
    people = (shell.folder / "shop" / "people.csv").read_text().splitlines()
    assert len(people) > 700
    assert (shell.folder / "shop" / "segments.xlsx").stat().st_size > 5_000
    others = shell.run(tried("docs/scale.md"), {"churnwatch-history": "shop/history"}, {})
    assert len(re.findall(r"│ view_item +┆ 93635 ┆ 2675", others)) == 1, "Polars"
    assert len(re.findall(r"│ 2025-12-\d\d │ +\d+ │", others)) == 7, "DuckDB"


def test_the_chinese_tutorial_types_the_same() -> None:
    english, chinese = ([block.text for block in blocks_of(f"docs/tutorial-growth{lang}.md")] for lang in ("", ".zh"))
    assert chinese == english


def typed_on(shell: Shell, page: str, kafka: str, redis: LocalRedis, app: str) -> str:
    """Type a page, with the addresses and the topics of this test in place of its own."""
    replaced = {
        "127.0.0.1:9092": kafka,
        "redis://127.0.0.1:6379": redis.url,
        **{f"127.0.0.1:{port}": f"127.0.0.1:{free_port()}" for port in (6066, 6067, 6080)},
        **{f'"{name}"': f'"{app}.{name}"' for name in ("clicks", "alerts", "win-back")},
    }
    own = {"CHURNWATCH_APP": app, "CHURNWATCH_TOPIC_PREFIX": f"{app}.", "CHURNWATCH_PAGE": replaced["127.0.0.1:6080"], "CHURNWATCH_WEB": ""}
    return shell.run(tried(page), replaced, own)


@pytest.mark.real_kafka
@pytest.mark.real_redis
@pytest.mark.timeout(900)
def test_the_engagement_developer_sends_to_whoever_is_still_away(shell: Shell, kafka: str, own_redis: LocalRedis, app_name: str) -> None:
    said = typed_on(shell, "docs/tutorial-engagement.md", kafka, own_redis, app_name)
    sent = re.findall(r"^win-back (\S+) to (\S+): ", said, re.MULTILINE)
    assert len(sent) >= 3
    assert len(set(sent)) == len(sent)
    assert "is back: no win-back for them" in said


@pytest.mark.real_kafka
@pytest.mark.real_redis
@pytest.mark.timeout(900)
def test_the_sre_breaks_it_and_nothing_is_lost(full: bool, shell: Shell, kafka: str, own_redis: LocalRedis, app_name: str) -> None:
    if not full:
        pytest.skip("starts four workers; runs under --full")
    said = typed_on(shell, "docs/tutorial-sre.md", kafka, own_redis, app_name)
    assert "there is damage" in said
    for reason in ("not_json", "missing_field", "ts_implausible"):
        assert reason in said
    assert re.search(r"on its way +done\s*\Z", said)
    sound = r"shard 0: (\d+) states are sound\nshard 1: (\d+) states are sound\nshard 2: (\d+) states are sound\nshard 3: (\d+) states are sound\n"
    killed = re.search(sound, said)
    assert killed is not None
    assert re.fullmatch(sound, (shell.folder / "after.txt").read_text()) is not None


def test_every_page_with_commands_is_run_or_says_what_guards_it() -> None:
    pages = ["README", *(page for of_one in nav().values() for page in of_one if (ROOT / f"{page}.md").exists())]
    with_commands = {page for page in pages if any(block.typed for block in blocks_of(f"{page}.md"))}
    assert with_commands - set(TYPED) - ELSEWHERE.keys() == set()
    assert ELSEWHERE.keys() <= with_commands, "a row that nothing needs"


def test_each_line_that_is_not_typed_is_there() -> None:
    lines = {line for page in TYPED for block in blocks_of(f"{page}.md") for line in block.text.splitlines()}
    assert UNTRIED.keys() <= lines, "a row that nothing needs"
