"""Who may import what, who may look at a clock, and what must not stand in any file."""

from __future__ import annotations

import ast
import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
CORE = sorted([*(ROOT / "features").glob("*.py"), *(ROOT / "online_models").glob("*.py")])
MAY_USE_REDIS = {"store_redis.py", "reader.py", "registry_redis.py"}
CLOCKS = {("time", "time"), ("time", "monotonic"), ("time", "perf_counter"), ("datetime", "now"), ("datetime", "utcnow"), ("date", "today")}


def imports(tree: ast.AST) -> set[str]:
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module)
    return found


@pytest.mark.parametrize("file", CORE, ids=lambda file: f"{file.parent.name}/{file.name}")
def test_the_core_knows_no_kafka_and_no_clock(file: Path) -> None:
    tree = ast.parse(file.read_text())
    roots = {name.partition(".")[0] for name in imports(tree)}
    assert not roots & {"faust", "mode", "kafka", "aiokafka", "confluent_kafka", "stream"}
    if file.name not in MAY_USE_REDIS:
        assert "redis" not in roots
    read = {
        (node.func.value.id, node.func.attr)
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and isinstance(node.func.value, ast.Name)
    }
    assert not read & CLOCKS


PACKAGES = ("features", "online_models", "stream", "tests", "benchmarks")


@pytest.mark.parametrize("package", PACKAGES)
def test_rivers_stream_module_never_hides_ours(package: str) -> None:
    for file in (ROOT / package).rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.ImportFrom) and node.module == "river":
                assert "stream" not in {alias.asname or alias.name for alias in node.names}, file
            if isinstance(node, ast.Import):
                assert "stream" not in {alias.asname for alias in node.names}, file


def tracked() -> list[Path]:
    done = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True)
    return [ROOT / name for name in done.stdout.splitlines()]


def test_locks_hold_no_address() -> None:
    for lock in ROOT.glob("requirements*.lock"):
        assert "://" not in lock.read_text()


def test_no_path_of_a_machine_is_committed() -> None:
    pattern = re.compile(rb"(^|[^a-zA-Z0-9_.])/(work|root|home)/[a-z]")
    found = [
        str(file.relative_to(ROOT))
        for file in tracked()
        if file.is_file() and file.name != Path(__file__).name and pattern.search(file.read_bytes())
    ]
    assert not found
