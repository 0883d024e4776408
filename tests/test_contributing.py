"""CONTRIBUTING.md followed to the letter in a copy of the code; and the hooks are those of `make lint`."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[1]
TEXT = (ROOT / "CONTRIBUTING.md").read_text()
BLOCKS = re.findall(r"^```(diff|python)\n# ([^\n]+)\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL)
CHECKS = {title.removeprefix("check: "): code for kind, title, code in BLOCKS if kind == "python" and title.startswith("check: ")}


@pytest.fixture(scope="module")
def changed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the code with all changes made."""
    copy = tmp_path_factory.mktemp("copy")
    for package in ("features", "online_models", "stream"):
        shutil.copytree(ROOT / package, copy / package, ignore=shutil.ignore_patterns("__pycache__"))
    for kind, title, body in BLOCKS:
        file = copy / title
        if kind == "diff":
            text, lines = file.read_text(), body.splitlines()
            old, new = ("\n".join(line[1:] for line in lines if line[0] in signs) for signs in (" -", " +"))
            assert text.count(old) == 1, f"{title} has {old!r} {text.count(old)} times"
            file.write_text(text.replace(old, new))
        elif title not in {f"check: {name}" for name in CHECKS}:
            assert not file.exists(), title
            file.write_text(body)
    return copy


@pytest.mark.parametrize("name", ["feature", "model", "metric"])
def test_the_example_works_as_it_stands(name: str, changed: Path) -> None:
    environment = {**os.environ, "PYTHONPATH": str(changed), "NUMBA_CACHE_DIR": str(changed / "cache")}
    done = subprocess.run(
        [sys.executable, "-c", CHECKS[name]], cwd=changed, env=environment, capture_output=True, text=True, timeout=240, check=False
    )
    assert done.returncode == 0, done.stderr


def test_without_its_changes_no_example_works() -> None:
    """So that each check can fail."""
    for name, code in CHECKS.items():
        done = subprocess.run(
            [sys.executable, "-c", code],
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            capture_output=True,
            timeout=240,
            check=False,
        )
        assert done.returncode, name


def test_the_rooms_named_are_there() -> None:
    for package, inside in (("features", "definitions events users store files"), ("stream", "intake ownership shard alerts kafka processes feedback demo backtest cli")):  # fmt: skip
        for room in inside.split():
            assert (ROOT / package / room / "__init__.py").exists()
            assert f"`{room}`" in TEXT


def test_the_hooks_are_those_of_make_lint() -> None:
    lint = re.search(r"^lint:.*\n((?:\t.*\n)+)", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert lint is not None
    repos = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text())["repos"]
    assert {repo["repo"] for repo in repos} == {"local"}
    entries = [hook["entry"] for repo in repos for hook in repo["hooks"]]
    assert entries == [line.strip().replace("$(BIN)", ".venv/bin") for line in lint[1].splitlines()]
