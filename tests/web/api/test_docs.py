"""docs/api.md: each of its calls by curl and each of its programs runs against a real server, and its tables are those of the code."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from insights.web.api.app import OPERATIONS
from insights.web.api.problems import KINDS
from tests.faults.bench_world import World
from tests.web.api.serving import serving
from tests.web.api.shop import EVERYTHING, Shop

PAGE = (Path(__file__).parents[3] / "docs" / "api.md").read_text()
BLOCK = re.compile(r"```(\w+)\n(.*?)```(?:\n\n```json\n(.*?)```)?", re.DOTALL)
BLOCKS = [
    (language, text, shown)
    for language, text, shown in BLOCK.findall(PAGE)
    if language in {"sh", "python"} and not text.startswith("export")
]
VOLATILE = {"alert_id", "valid_until_ms", "as_of_ms", "counted_until_ms"}
"""What an example on the page may say otherwise: times, and what follows from the app's name."""


@pytest.fixture
async def place(world: World) -> AsyncIterator[tuple[str, str]]:
    """Address and token of a real server over an app with a few people in known states, and a Kafka behind it."""
    shop = Shop(world.redis, f"{world.app}-shop", world.folder, kafka__bootstrap=world.kafka, kafka__topic_prefix=f"{world.app}.")
    await shop.fill()
    with serving(shop) as address:
        yield address, shop.token(*EVERYTHING)
    shop.close()


@pytest.mark.real_kafka
@pytest.mark.real_redis
def test_every_example_runs(place: tuple[str, str]) -> None:
    address, token = place
    assert len(BLOCKS) >= 6
    for language, text, shown in BLOCKS:
        if language == "python":
            done = subprocess.run(
                [sys.executable, "-c", f"CHURN, TOKEN = {address!r}, {token!r}\n{text}"], capture_output=True, text=True, check=False
            )
            assert done.returncode == 0, f"{text}\n{done.stderr}"
            assert "win-back" in done.stdout
            assert "there are: churn14, churn7" in done.stdout
            continue
        done = subprocess.run(
            ["bash", "-ec", text], capture_output=True, text=True, check=False, env={**os.environ, "CHURN": address, "TOKEN": token}
        )
        assert done.returncode == 0, f"{text}\n{done.stderr}"
        assert "urn:churnwatch:problem" not in done.stdout, f"{text}\n{done.stdout}"
        if shown:
            said, expected = json.loads(done.stdout), json.loads(shown)
            assert said.keys() == expected.keys()
            assert {name: one for name, one in said.items() if name not in VOLATILE} == {
                name: one for name, one in expected.items() if name not in VOLATILE
            }
        else:
            assert done.stdout


def test_each_operation_and_each_problem_is_on_the_page() -> None:
    for one in OPERATIONS:
        assert f"`{one.name.replace('_csv', '.csv').replace('_', '-')}`" in PAGE or one.path in PAGE, one.name
    rows = re.findall(r"^\| (\d{3}) \| `([\w-]+)` \| (.*) \|$", PAGE, re.MULTILINE)
    assert rows == [(str(kind.status), name, kind.title) for name, kind in KINDS.items()]


def test_scopes_are_those_of_the_operations() -> None:
    said = {
        scope: set(re.findall(r"`([\w.-]+)`", names)) for scope, names in re.findall(r"^\| `([\w:]+)` \| (`.*`) \|$", PAGE, re.MULTILINE)
    }
    does: dict[str, set[str]] = {}
    for one in OPERATIONS:
        does.setdefault(str(one.scope), set()).add(one.name.replace("_csv", ".csv").replace("_", "-"))
    assert said == does
