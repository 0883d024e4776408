"""The first build, as history has it: its files in a folder of their own, run by the same Python; what apps of today may have been made by."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path

from stream.faults import ServerMissing
from tests.servers.process import ROOT

COMMIT = "bfd82604179eec55185589ba93e4833ef87b568d"
FOLDER = Path(os.environ.get("CHURNWATCH_TEST_FIRST_BUILD", ROOT / ".cache" / "first-build"))
ENTRY_POINTS = "[faust.transports]\nchurnwatch = stream.transport:Transport\n"


def first_build() -> Path:
    """Return the folder, compiled; made at the first call (about a minute).

    Raises
    ------
    ServerMissing
        When the commit is not there: a clone without its history.
    """
    if (FOLDER / "compiled").exists():
        return FOLDER
    partial = FOLDER.with_name(f"{FOLDER.name}.{os.getpid()}")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    packed = partial / "files.tar"
    made = subprocess.run(["git", "archive", "-o", str(packed), COMMIT], cwd=ROOT, capture_output=True, text=True, check=False)
    if made.returncode:
        shutil.rmtree(partial)
        raise ServerMissing(f"the commit {COMMIT[:7]} is not in this clone: git fetch --unshallow")
    with tarfile.open(packed) as files:
        files.extractall(partial, filter="data")
    packed.unlink()
    # Faust looks its transport up among what is installed; this build's own is found first
    about = partial / "churnwatch.egg-info"
    about.mkdir()
    (about / "PKG-INFO").write_text("Metadata-Version: 2.1\nName: churnwatch\nVersion: 0.1.0\n")
    (about / "entry_points.txt").write_text(ENTRY_POINTS)
    shutil.rmtree(FOLDER, ignore_errors=True)
    partial.rename(FOLDER)
    for module in ("stream.warm", "online_models.warm"):
        subprocess.run([sys.executable, "-m", module], cwd=FOLDER, env={**os.environ, "PYTHONPATH": str(FOLDER)}, check=True)
    (FOLDER / "compiled").touch()
    return FOLDER
