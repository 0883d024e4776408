"""A real Prometheus on this machine, in a folder of its own, and the tool that checks its rules."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any, Self
from urllib.request import urlopen

import yaml

from stream.demo.local_redis import free_port
from stream.faults import ServerMissing
from tests.servers.process import wait_until


def program(name: str) -> str:
    """Return the path of `prometheus` or `promtool`."""
    found = shutil.which(name)
    if found is None:
        raise ServerMissing(f"no {name}: install Prometheus (Debian: apt-get install prometheus)")
    return found


class Prometheus:
    """Asks some targets every second, and judges a file of rules as often.

    Parameters
    ----------
    targets : dict
        Job -> addresses.
    token : str
        Sent to all of them.
    """

    def __init__(self, folder: Path, rules: Path, targets: dict[str, list[str]], token: str) -> None:
        self.port = free_port()
        jobs = [
            {"job_name": job, "static_configs": [{"targets": those}], "authorization": {"credentials": token}}
            for job, those in targets.items()
        ]
        config = {"global": {"scrape_interval": "1s", "evaluation_interval": "1s"}, "rule_files": [str(rules)], "scrape_configs": jobs}
        self._config, self._data, self._log = folder / "prometheus.yml", folder / "prometheus-data", folder / "prometheus.log"
        self._config.write_text(yaml.safe_dump(config))
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        command = [program("prometheus"), f"--config.file={self._config}", f"--storage.tsdb.path={self._data}", f"--web.listen-address=127.0.0.1:{self.port}"]  # fmt: skip
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(command, stdout=log, stderr=log, stdin=subprocess.DEVNULL)
        wait_until(lambda: self._log.read_text().count("Server is ready"), 60, "Prometheus is ready", self._log.read_text)
        return self

    def __exit__(self, *_: object) -> None:
        assert self._process is not None
        self._process.kill()
        self._process.wait(30)

    def alerts(self) -> set[str]:
        """Return the names of the alerts that are pending or firing."""
        return {alert["labels"]["alertname"] for alert in self._asked("alerts")["alerts"]}

    def value(self, expression: str) -> float | None:
        """Return what an expression of one series gives now, None if nothing."""
        found = self._asked(f"query?query={expression}")["result"]
        return float(found[0]["value"][1]) if found else None

    def _asked(self, what: str) -> dict[str, Any]:
        with urlopen(f"http://127.0.0.1:{self.port}/api/v1/{what}", timeout=10) as answer:
            told: dict[str, Any] = json.load(answer)["data"]
        return told
