"""The trainer's process is killed again and again on real servers, while labels come from outside as well. What it has learned is what an
undisturbed one learns from the same topic: every matured label once.
"""

from __future__ import annotations

import json
import random
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt
import pytest
from confluent_kafka import Producer
from threadpoolctl import threadpool_limits

from features.definitions.definition import NO_LABEL
from features.store.redis import load_spec
from features.users.catalog import WIDTH
from features.users.landmarks import PHASE_STEP_MS, phase_of
from online_models.checkpoint import unseal
from online_models.example import LABEL, ExampleBlock, Examples
from online_models.example_blocks import unpack_record
from online_models.external_labels import LabelBlock
from online_models.registry import MemoryRegistry
from online_models.registry_redis import RedisRegistry
from online_models.trainer import Trainer, TrainerState, Version
from online_models.trainer_checkpoint import TrainerBody
from stream.processes.trainer import Training, model_key, trainer_settings
from stream.shard.dead_letters import decode_dead_letter
from tests.faults.bench_world import DAY_MS, World, made_up_log
from tests.servers.process import Program, wait_until

pytestmark = [pytest.mark.real_kafka, pytest.mark.real_redis]
TOML = """
[app]

[features]
key_events = ["click", "view", "purchase"]

[time]
ticks = false

[learning]
batch = 64
min_labels = 60
window = 500

[[definitions]]
name = "gone"
active_window = "3d"
horizon = "2d"

[[definitions]]
name = "contract"
kind = "external"
active_window = "3d"
horizon = "3d"
"""
BAD = (b"{", json.dumps({"user": "ann", "definition": "gone", "landmark_ms": 1, "label": 1, "matured_ms": 2}).encode())


class Recording(Trainer):
    """Writes down what it learns: (definition, user, landmark)."""

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self.lessons: Counter[tuple[str, str, int]] = Counter()

    def _learn(self, items: Examples, definitions: Sequence[str], stop: Callable[[], bool]) -> tuple[list[Version], npt.NDArray[np.intp]]:
        keys = zip(items.definition.tolist(), items.users, items.landmark_ms.tolist(), strict=True)
        self.lessons.update((definitions[k], user, landmark) for k, user, landmark in keys)
        return super()._learn(items, definitions, stop)


def tell(world: World, log: Sequence[tuple[str, bytes]]) -> int:
    """Tell the contracts of a third of the users for every landmark; return how many records were sent."""
    times = [json.loads(value)["ts"] for _, value in log if value[-1:] == b"}"]
    days = range(min(times) // DAY_MS, max(times) // DAY_MS + 1)
    producer = Producer({"bootstrap.servers": world.kafka})
    sent = 0
    for user in sorted({user for user, _ in log}):
        if phase_of(user) % 3:
            continue
        for day in days:
            landmark = day * DAY_MS + phase_of(user) * PHASE_STEP_MS + DAY_MS // 2
            one = {"user": user, "definition": "contract", "landmark_ms": landmark, "label": day % 2, "matured_ms": landmark + DAY_MS}
            producer.produce(world.topics["labels"], json.dumps(one).encode())
            sent += 1
            producer.poll(0)
    for bad in BAD:
        producer.produce(world.topics["labels"], bad)
    assert producer.flush(30) == 0
    return sent + len(BAD)


def wait_copied(world: World, labels: int) -> None:
    """Wait until the topic `examples` has all labels. On a slow start of the trainer the clicks would be over before it, and each label too late."""

    def copied() -> int:
        said = [unpack_record(message.value) for message in world.log("examples")[0]]
        return max((one.next_offset for one in said if isinstance(one, LabelBlock)), default=0)

    wait_until(lambda: copied() == labels, 60, f"{labels} labels copied", world.tails)


def kill_after(program: Program, versions: int) -> None:
    wait_until(lambda: program.text().count("model learned") >= versions and "reading examples" in program.text(), 120, "versions", program.text)  # fmt: skip
    program.kill()


def finished(world: World, labels: int) -> tuple[TrainerBody, list[Any]]:
    """Let the trainer read all there is, labels included; return its checkpoint's body and the topic."""
    for _ in range(3):
        last = world.start("train")
        wait_until(lambda one=last: "all examples read" in one.text(), 240, "all examples read", last.text)
        assert last.terminate() == 0, last.text()
        sealed: Any = world.client.hget(f"cw:{world.app}:trainer", "checkpoint")
        _, body = unseal(sealed, model_key(world.settings), TrainerBody)
        messages = world.log("examples")[0]
        if body.next_offset == messages[-1].offset + 1 and body.trainer.external.next_offset == labels:
            return body, messages
    raise AssertionError(f"{labels} labels were sent, heard up to {body.trainer.external.next_offset}")


def plain(state: TrainerState) -> dict[str, Any]:
    """Return a trainer's state as it is stored. The bytes of equal models may differ, so scores stand in their place."""
    back: dict[str, Any] = msgspec.msgpack.decode(msgspec.msgpack.encode(state))
    for learner in back["learners"].values():
        del learner["candidates"]
    return back


def differing(one: Any, other: Any, path: str = "") -> list[str]:
    """Return the places where two states differ."""
    if isinstance(one, dict) and isinstance(other, dict):
        return [found for name in {*one, *other} for found in differing(one.get(name), other.get(name), f"{path}.{name}")]
    if isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        return [found for i, pair in enumerate(zip(one, other, strict=True)) for found in differing(*pair, f"{path}[{i}]")]
    return [] if one == other else [f"{path}: {one!r:.80} and {other!r:.80}"]


@pytest.mark.timeout(1500)
def test_killed_again_and_again_it_learns_what_the_undisturbed_one_does(world: World, full: bool) -> None:
    kills = 20 if full else 3
    rng = random.Random(11)
    log = list(made_up_log(120_000 if full else 40_000, 6_000 if full else 2_000, 12.0))
    worker = world.start()
    labels = tell(world, log)
    first = world.start("train")
    wait_copied(world, labels)
    first.kill()
    sent = world.produce(log)
    for number in range(kills):
        kill_after(world.start("train"), rng.choice([0, 1, 2]) if number else 1)
    world.wait_taken(sent, 120)
    assert worker.terminate() == 0, world.tails()
    body, messages = finished(world, labels)
    found = load_spec(world.client, world.app)
    assert found is not None
    undisturbed = Training(trainer_settings(world.settings), MemoryRegistry(), found.spec.hash, model_key(world.settings))
    undisturbed.trainer = recording = Recording(trainer_settings(world.settings))
    with threadpool_limits(1):  # as the command line has it: sums of several threads differ in their last bit
        for message in messages:
            undisturbed.feed(message.offset, message.timestamp, message.value, save=False)

    # the same, to the last bit: calibrations, windows, kept scores, what waits
    assert differing(plain(recording.state()), plain(body.trainer)) == []
    killed = Training(trainer_settings(world.settings), RedisRegistry(world.client, world.app), found.spec.hash, model_key(world.settings))
    probe = np.random.default_rng(1).integers(0, 256, (50, WIDTH)).astype(np.uint8)
    for name, learner in recording.learners.items():
        assert learner.standing.begun, name
        assert np.array_equal(learner.score(probe), killed.trainer.learners[name].score(probe), equal_nan=True)

    # each matured label once
    assert set(recording.lessons.values()) == {1}
    blocks = [said for said in (unpack_record(message.value) for message in messages) if isinstance(said, ExampleBlock)]
    low, told = recording._low_watermark(), {(one["user"]) for one in [{"user": user} for user, _ in log] if not phase_of(one["user"]) % 3}
    matured = {
        (block.definitions[k], user, landmark)
        for block in blocks
        for kind, k, user, landmark, due, label in zip(
            *(getattr(block.items, name).tolist() for name in ("kind", "definition")), block.items.users,
            *(getattr(block.items, name).tolist() for name in ("landmark_ms", "matured_ms", "label")), strict=True,
        )
        if kind == LABEL and due < low and (label != NO_LABEL or user in told)
    }  # fmt: skip
    assert set(recording.lessons) <= matured
    missing = matured - set(
        recording.lessons
    )  # a label told once its snapshot has matured is no label; how many come so late is a matter of speed
    assert {name for name, _, _ in missing} <= {"contract"}
    assert len(missing) <= recording.external.counts["too late"]
    print(f"\n{kills} kills, {sent} events, {dict(Counter(name for name, _, _ in matured))} labels; told {dict(recording.external.counts)}")
    letters = {
        (letter.offset, letter.reason)
        for messages in world.log("dead_letters").values()
        for letter in (decode_dead_letter(message.value) for message in messages)
        if letter.topic == "labels"
    }
    assert letters == {(labels - 2, "label_invalid"), (labels - 1, "label_definition")}
