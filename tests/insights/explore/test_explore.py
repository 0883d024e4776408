"""`churnwatch explore`, as somebody with a file and nothing else calls it."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
from pathlib import Path
from urllib.request import urlopen

import pytest

from insights.scenarios.play import play
from insights.scenarios.scenario import load
from insights.scenarios.write import frame_of, write_events
from stream.demo.local_redis import free_port
from tests.servers.process import ROOT, wait_until

COMMAND = [sys.executable, "-m", "stream", "explore"]
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(ROOT)}


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made, file = load("ecommerce"), tmp_path_factory.mktemp("shop") / "shop.csv"
    write_events(frame_of(made, play(made, end_ms=1_780_000_000_000, days=200, users=400, seed=2)), file)
    return file


@pytest.mark.timeout(600)
def test_pages_and_report_of_a_file(shop: Path, tmp_path: Path) -> None:
    report, address = tmp_path / "report.html", f"127.0.0.1:{free_port()}"
    log = tmp_path / "said.txt"
    with log.open("wb") as out:
        running = subprocess.Popen(
            [*COMMAND, str(shop), "--report", str(report), "--address", address, "--funnel", "view_item,purchase", "--folder", str(tmp_path / "kept")],
            cwd=tmp_path, env=ENVIRONMENT, stdout=out, stderr=out,
        )  # fmt: skip
    try:
        wait_until(lambda: f"http://{address}" in log.read_text() or running.poll() is not None, 120, "the pages", log.read_text)
        first = urlopen(f"http://{address}/", timeout=60).read().decode()
        assert "<h1>Today</h1>" in first
        rail = re.findall(r'<a href="(/[\w-]+)"', first.partition("</nav>")[0])
        assert rail[:5] == ["/today", "/retention", "/journeys", "/groups", "/features"]
        assert not {"/at-risk", "/model", "/data", "/person"} & set(rail), "nothing of an engine that is not there"
        wait_until(lambda: "report:" in log.read_text() or running.poll() is not None, 300, "the report", log.read_text)
        wait_until(
            lambda: (tmp_path / "kept" / "risk" / "report.html").exists() or running.poll() is not None, 300, "the backtest", log.read_text
        )
        running.send_signal(signal.SIGINT)
        assert running.wait(60) == 0, log.read_text()
    finally:
        running.kill()
        running.wait()
    said, written = log.read_text(), report.read_text()
    assert re.search(r"funnel +view_item > purchase +you said so", said)
    assert re.search(r"money +purchase ", said)
    assert "Traceback" not in said
    for heading in ("Today", "Retention", "Journeys", "Groups", "Features"):
        assert f"<h1>{heading}</h1>" in written
    assert "you said so" in written
    assert not re.search(r"""<script|<form|<link|(?:src|href)=["'](?!#)""", written), "it needs no server, and leads nowhere"
    ids = re.findall(r'\bid="([^"]+)"', written)
    assert len(ids) == len(set(ids))
    assert "data-computing" not in written
    assert 'funnel = ["view_item", "purchase"]' in (tmp_path / "kept" / "churnwatch.toml").read_text()


def said_by(*arguments: str, folder: Path) -> tuple[int, str]:
    environment = ENVIRONMENT | {"TMPDIR": str(folder)}  # so that a folder that is left behind is seen
    done = subprocess.run([*COMMAND, *arguments], cwd=folder, env=environment, capture_output=True, text=True, timeout=180, check=False)
    assert "Traceback" not in done.stdout + done.stderr
    return done.returncode, done.stdout + done.stderr


def test_what_cannot_be_is_refused_with_the_fix(shop: Path, tmp_path: Path) -> None:
    assert said_by(str(shop), "--no-serve", folder=tmp_path) == (2, "with --no-serve nothing would be seen: name a file with --report\n")
    code, said = said_by(str(shop), "--horizon", "90m", folder=tmp_path)
    assert (code, "--horizon: whole days from 1d to 61d, got 90m" in said) == (2, True)


def test_an_address_that_is_taken_is_named(tmp_path: Path) -> None:
    (tmp_path / "few.jsonl").write_text(json.dumps({"user": "ann", "ts": 1_780_000_000_000, "type": "visit"}) + "\n")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        code, said = said_by("few.jsonl", "--address", address, folder=tmp_path)
    assert code == 2
    assert f"{address} cannot be listened on" in said
    assert not list(tmp_path.glob("churnwatch*"))
