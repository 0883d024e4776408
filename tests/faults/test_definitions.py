"""A definition is added to a running app by one edit: restarted workers take it up, one that was not is refused, the others' alerts stay as they were."""

from __future__ import annotations

import pytest

from stream.position import position_of
from tests.faults.bench_world import World, made_up_log
from tests.servers.process import Program, wait_until

pytestmark = [pytest.mark.real_kafka, pytest.mark.real_redis, pytest.mark.timeout(600)]
KEY_EVENTS = ("click", "view", "purchase")
LONGER = """
[[definitions]]
name = "longer"
active_window = "4d"
horizon = "3d"
"""


def said_by(world: World, *command: str) -> str:
    program = world.start(*command)
    code = program.process.wait(60)
    assert code == 0, program.text()
    return program.text()


def refused(program: Program, code: int, *says: str) -> None:
    assert program.process.wait(90) == code, program.text()
    for one in says:
        assert one in program.text()


def test_one_edit_adds_a_definition(world: World) -> None:
    log = list(made_up_log(40_000, 2_000, 9.0))
    old = world.start()
    sent = world.produce(log[:30_000])
    world.wait_taken(sent, 90)
    before = world.config.read_text()
    world.config.write_text(before + LONGER)

    # beside the one that still follows the old configuration
    new = world.start()
    wait_until(lambda: "definitions=gone, longer since" in new.text(), 60, "the new worker took a shard", world.tails)
    assert "definition added: longer" in new.text()
    sent += world.produce(log[30_000:35_000])
    world.wait_taken(sent, 60)
    new.kill()
    refused(old, 2, "Start this worker again with the configuration of the others")

    new = world.start()
    sent += world.produce(log[35_000:])
    world.wait_taken(sent, 90)
    assert "longer valid since 20" in " ".join(said_by(world, "model", "ls", "-d", "longer").split())
    assert "gone valid since the beginning of the log" in " ".join(said_by(world, "model", "ls").split())
    shown = said_by(world, "user", "user-0000000")
    assert "longer risk now" in shown
    assert "raised by" in shown or "lowered by" in shown
    assert new.terminate() == 0

    # what was there before it is undisturbed
    alerts = world.log("alerts")
    for partition, (_, _, said, _) in world.replay(KEY_EVENTS).items():
        positions = [position_of(message.headers) for message in alerts[partition]]
        assert [one for one in positions if one.kind < 8] == [one for one, topic in said if topic == "alerts"]
    assert sum(position_of(message.headers).kind >= 8 for messages in alerts.values() for message in messages) > 0

    for text, says in (
        (before, "definition 'longer' is no longer there: put it back"),
        (before + LONGER.replace('"3d"', '"5d"'), "put this one back, and add the changed one behind the others"),
        (before.replace("[[definitions]]", LONGER + "\n[[definitions]]"), "must stay number 1: add new ones behind the others"),
    ):
        world.config.write_text(text)
        refused(world.start(), 2, says)
        refused(world.start("train"), 2, says)
