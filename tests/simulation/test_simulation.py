"""Seeds of the whole engine, and builds that are broken on purpose: a green run proves something only if these turn red."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.simulation.run import run_seed, run_seeds

ROOT = Path(__file__).parents[2]
pytestmark = pytest.mark.simulation


@pytest.mark.timeout(1200)
def test_seeds_hold_every_invariant(full: bool, say: Callable[[str], None]) -> None:
    count, stride = (5_000, 50) if full else (200, 25)
    ranges = [range(first, first + stride) for first in range(0, count, stride)]
    totals: Counter[str] = Counter()
    with ProcessPoolExecutor(max_workers=os.cpu_count()) as pool:
        for part in pool.map(run_seeds, ranges):
            totals += part
    say(f"{count} seeds: " + ", ".join(f"{name} {number}" for name, number in sorted(totals.items())))
    assert totals["kills"] > count
    assert totals["zombies"] > count / 4
    assert totals["stores rolled back"] > count / 4
    assert totals["hand-overs"] > 3 * count
    assert totals["labels"] > 100 * count
    assert totals["alerts"] > 10 * count
    assert totals["users erased"] > 2 * count
    assert totals["users let back"] > count / 3
    assert totals["events of erased users"] > 20 * count


@pytest.mark.parametrize(
    "seed",
    [
        pytest.param(2067, id="a store that went back does not come forward again to what it has forgotten"),
        pytest.param(288, id="of two histories of rules of one length the one in Kafka is the newer"),
        pytest.param(1017, id="a run does not end while the last tick is being applied"),
    ],
)
def test_seeds_that_once_failed(seed: int) -> None:
    run_seed(seed)


@dataclass(frozen=True)
class Mutant:
    """Text replaced in a copy of the project."""

    name: str
    changes: tuple[tuple[str, str, str], ...]
    seeds: tuple[int, int] = (0, 500)
    """First and last one to run."""
    redis: tuple[tuple[str, str, str], ...] = ()
    """Where `changes` breaks the stand-in for Redis: the same rule broken in the store that runs in earnest, for its contract to notice."""


A_WRONG_CLOCK = 128
"""A seed in which idle shards meet a broker clock that is two days ahead."""
A_CROWD, SMALLER_BUDGET = 77, 577
"""Seeds with more users than budget in every bucket; in the second one a worker with another budget goes on in the middle of an instant."""
MUTANTS = (
    Mutant(
        "offset written outside the script",
        (
            ("features/store/memory.py", "data.meta, data.commit_no = commit.meta, number", "data.commit_no = number"),
            (
                "tests/simulation/world.py",
                '        await self._world.pause(self._worker, "commit.after")\n',
                '        await self._world.pause(self._worker, "commit.after")\n        self._world.store._shard(partition).meta = commit.meta\n',
            ),
        ),
        redis=(("features/store/packed_calls.py", '("WATCH", keys.owner, keys.meta)', '("WATCH", keys.exbox)'),),
    ),
    Mutant(
        "no token",
        (
            ("features/store/memory.py", "if not data.epoch or Token(data.epoch, data.nonce) != token:", "if False:"),
            ("features/store/memory.py", "if data.commit_no != commit.commit_no:", "if False:"),
        ),
        redis=(("features/store/redis.py", 'if (epoch, nonce) != (b"%d" % token.epoch, token.nonce.encode()):', "if False:"),),
    ),
    Mutant(
        "no generation check",
        (("features/store/memory.py", "if data.generation is not None and generation < data.generation and not force:", "if False:"),),
        redis=(("features/store/take.lua", "tonumber(ARGV[1]) < tonumber(owner[3])", "false"),),
    ),
    Mutant("no progress marker", (("stream/ownership/session.py", "    return await wire.last_marker()\n", "    return None\n"),)),
    Mutant(
        "outbox trimmed early",
        (
            (
                "stream/ownership/session.py",
                "commit.outbox_trim, commit.exbox_trim = self._outbox_trim, self._exbox_trim",
                "commit.outbox_trim, commit.exbox_trim = stream_id(commit.commit_no, 10**6), self._exbox_trim",
            ),
        ),
    ),
    Mutant(
        "batch dropped instead of un-read",
        (
            (
                "tests/simulation/run.py",
                "position[partition] = batch.start  # it is put back unread, since nobody may take it now",
                "pass  # dropped",
            ),
            (
                "stream/ownership/session.py",
                "raise GapDetected(self.partition, self.next_offset, batch.start)",
                "self.shard.meta.next_offset = batch.start",
            ),
        ),
    ),
    Mutant("timers after the event", (("features/users/kernel.py", "limit = before if late else max(t, before)", "limit = before"),)),
    Mutant(
        "label at return time",
        (
            # the horizon is not waited for: a label is told as soon as the lateness has passed
            (
                "stream/shard/step.py",
                "[definition.horizon_ms + spec.lateness_ms for definition",
                "[DAY_MS // 2 + spec.lateness_ms for definition",
            ),
        ),
    ),
    Mutant(
        "landmarks that have fired hold time up",
        (("stream/shard/timers.py", "due[self._instants < from_ms % PHASE_STEP_MS, :1] = 0", "pass"),),
        (A_CROWD, A_CROWD),
    ),
    Mutant(
        "a crowded instant is left in the middle",
        (("stream/shard/step.py", "if swept != NEVER and meta.cursor is None:", "if swept != NEVER:"),),
        (SMALLER_BUDGET, SMALLER_BUDGET),
    ),
    Mutant(
        "a tick is believed",
        (
            (
                "stream/ownership/session.py",
                "await self._wire.tick(self.next_offset, latest_ms)",
                "await self._wire.tick(self.next_offset, 2**62)",
            ),
        ),
        (A_WRONG_CLOCK, A_WRONG_CLOCK),
    ),
    Mutant(
        "all of the log by the rules of the day",
        (("stream/ownership/session.py", "pieces(self.shard.meta.rules, records", "pieces(self.shard.meta.rules[-1:], records"),),
        (0, 60),
    ),
    Mutant(
        "snapshots of an erased user stay",
        (("stream/shard/step.py", "rewritten[name], dropped[one] = kept, count if kept else -1", "pass"),),
        (0, 40),
    ),
    Mutant(
        "an erased user who clicks is known again",
        (("stream/shard/erasing.py", "    code[barred] = Reason.erased\n", "    pass\n"),),
        (0, 40),
    ),
    Mutant(
        "an alert outlives its user",
        (("stream/shard/step.py", "entries = ended_by_erasure(facts, found.alerts)", "entries = ended_by_erasure(facts, [])"),),
        (0, 60),
    ),
    Mutant(
        "an erasure is forgotten",
        (("stream/shard/step.py", "gone=self.gone.changed(),", "gone={},"),),
        (0, 40),
        redis=(("features/store/packed_calls.py", "    if commit.gone:\n", "    if False:\n"),),
    ),
    Mutant(
        "an erasure that is sent again erases again",
        (("stream/shard/erasing.py", "elif columns.ts[row] <= gone.erased_ms(arena.users[slots[row]]):", "elif False:"),),
        (0, 200),
    ),
    Mutant(
        "the mark of a returned user is lost with the memory",
        (("stream/shard/step.py", "if self.arena.fresh[slot] or self.gone.some_are_back:", "if self.arena.fresh[slot]:"),),
        (0, 200),
    ),
    Mutant(
        "new rules for a record whose timers have been told",
        (
            (
                "stream/ownership/opening.py",
                "    judged = meta.next_offset + in_a_sweep\n    if marker is not None:",
                "    judged = meta.next_offset\n    if False:",
            ),
        ),
        (0, 120),
    ),
)


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name)
def test_the_project_holds_the_text_that_a_broken_build_breaks(mutant: Mutant) -> None:
    for file, old, _ in (*mutant.changes, *mutant.redis):
        assert (ROOT / file).read_text().count(old) == 1, file


@pytest.mark.slow
@pytest.mark.timeout(240)
@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name)
def test_a_broken_build_is_caught(mutant: Mutant, tmp_path: Path, say: Callable[[str], None]) -> None:
    broken_copy(mutant.changes, tmp_path)
    done = ended(tmp_path, "tests.simulation.run", *map(str, mutant.seeds))
    assert done.returncode != 0, f"{mutant.name}: seeds {mutant.seeds} passed"
    said = done.stderr.splitlines()[-1]  # the oracle, or the engine itself, says what is wrong
    assert any(word in said for word in ("Violation", "GapDetected", "Refused", "Error")), done.stderr[-2000:]
    say(f"broken build {mutant.name!r} caught: {said[:120]}")


@pytest.mark.slow
@pytest.mark.timeout(240)
@pytest.mark.parametrize("mutant", [one for one in MUTANTS if one.redis], ids=lambda mutant: mutant.name)
def test_a_broken_store_is_caught_by_its_contract(mutant: Mutant, tmp_path: Path, say: Callable[[str], None]) -> None:
    broken_copy(mutant.redis, tmp_path)
    suites = ("tests/features/test_store_contract.py", "tests/features/test_store_redis.py")
    done = ended(tmp_path, "pytest", "-q", "-x", "-p", "no:cacheprovider", "-k", "bundled and (take or token or generation)", *suites)
    failed = [line for line in done.stdout.splitlines() if line.startswith("FAILED")]
    assert failed, f"{mutant.name}: the contract of the store passed\n{done.stdout[-2000:]}"
    say(f"broken store {mutant.name!r} caught: {failed[0][:120]}")


def broken_copy(changes: tuple[tuple[str, str, str], ...], tmp_path: Path) -> None:
    """Copy the project and break it."""
    # What is compiled may come along unless compiled code is what the mutant changes: a caller's does not know that its callee has changed.
    compiled = any("@njit" in (ROOT / file).read_text() for file, _, _ in changes)
    ignored = shutil.ignore_patterns("__pycache__") if compiled else None
    for package in ("features", "online_models", "stream", "tests"):
        shutil.copytree(ROOT / package, tmp_path / package, ignore=ignored)
    for file, old, new in changes:
        path = tmp_path / file
        text = path.read_text()
        path.write_text(text.replace(old, new))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)


def ended(folder: Path, module: str, *args: str) -> subprocess.CompletedProcess[str]:
    """Run a module on the copy to its end."""
    environment = {**os.environ, "PYTHONPATH": str(folder)}
    command = [sys.executable, "-m", module, *args]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
