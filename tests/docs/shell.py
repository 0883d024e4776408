"""A shell in which the blocks of a page are typed one after the other, as a reader would."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path

from tests.docs.blocks import ROOT, Block

HERE = Path(__file__).parent
SERVED = {
    "churnwatch explore": "the pages are at",
    "churnwatch run": "ConsumerThread]: Starting",
    "churnwatch train": "reading examples",
    "churnwatch web": "page is at",
    "churnwatch history run": "following the clicks",
}
"""Commands that run until Ctrl-C, and what they say once they are ready. A reader gives each a terminal of its own."""
NOT_SERVED = ("--no-serve", "--help", "web people", "web token")

PRELUDE = """
set -eEuo pipefail
trap 'echo "FAILED in the block at line $BLOCK: $BASH_COMMAND" >&2' ERR
trap 'kill $(jobs -p) 2>/dev/null || true; wait' EXIT
served() {  # in a terminal of its own: served WHAT_IT_SAYS COMMAND...
    local says=$1 log; log=$(mktemp "$LOGS/served.XXXXXX"); shift
    "$@" > "$log" 2>&1 &
    until grep -q "$says" "$log"; do kill -0 $! || { cat "$log"; return 1; }; sleep 0.1; done
    cat "$log"
}
"""


def script_of(blocks: Iterable[Block], replaced: Mapping[str, str]) -> str:
    """Return the blocks as one program for bash; a block with a name is kept as that file, one of Python without a name is run."""
    parts = [PRELUDE]
    for block in blocks:
        text = block.text
        for old, new in replaced.items():
            text = text.replace(old, new)
        parts.append(f"BLOCK={block.line}")
        if block.name:
            parts.append(f"cat > {block.name} <<'END OF FILE'\n{text}END OF FILE")
        elif block.language == "python":
            parts.append(f"python - <<'END OF FILE'\n{text}END OF FILE")
        else:
            parts += [typed(line) for line in text.splitlines()]
    return "\n".join(parts) + "\n"


def typed(line: str) -> str:
    """Return a line as the shell is given it: what runs until Ctrl-C goes into the background, once it is ready.

    >>> typed("churnwatch web   # the page")
    "served 'page is at' churnwatch web   # the page"
    >>> typed("churnwatch web people ls")
    'churnwatch web people ls'
    """
    for command, says in SERVED.items():
        if line.startswith(command) and not line.rstrip().endswith("&") and not any(word in line for word in NOT_SERVED):
            return f"served {shlex.quote(says)} {line}"
    return line


class Shell:
    """A place with a `churnwatch` of its own on PATH.

    Parameters
    ----------
    folder : Path
        An empty one, in which the commands run.
    """

    def __init__(self, folder: Path) -> None:
        self.folder, self._socket = folder / "here", folder / "asked"
        self.folder.mkdir()
        binaries = folder / "bin"
        binaries.mkdir()
        for name, words in (("churnwatch", f"-S -E {HERE / 'asking.py'}"), ("python", "")):
            (binaries / name).write_text(f'#!/bin/sh\nexec {sys.executable} {words} "$@"\n')
            (binaries / name).chmod(0o755)
        self._environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("CHURNWATCH_")},
            "PATH": f"{binaries}:{os.environ['PATH']}",
            "PYTHONPATH": str(ROOT),
            "LOGS": str(folder),
            "CHURNWATCH_FORKED_AT": str(self._socket),
        }
        self._server = subprocess.Popen(
            [sys.executable, "-m", "tests.docs.forking", str(self._socket)],
            cwd=ROOT, env=self._environment, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        assert self._server.stdout is not None
        assert self._server.stdout.readline() == "listening\n"

    def run(self, blocks: Iterable[Block], replaced: Mapping[str, str], environment: Mapping[str, str]) -> str:
        """Type the blocks and return what was printed; fail at the first command that fails, and at a stack trace."""
        script = script_of(blocks, replaced)
        done = subprocess.run(
            ["bash", "-c", script], cwd=self.folder, env={**self._environment, **environment}, stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=850, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout[-3_000:]
        assert "Traceback" not in done.stdout, done.stdout
        return done.stdout

    def close(self) -> None:
        """End what answers."""
        self._server.terminate()
        self._server.wait()
        assert self._server.stdout is not None
        self._server.stdout.close()
