"""Letters are counted by reason and field, each with what most of them are."""

from __future__ import annotations

import base64

from insights.live.letters import Tally
from stream.shard.dead_letters import DeadLetter


def letter(offset: int, reason: str, payload: bytes = b"{", *, field: str | None = None, topic: str = "clicks", at: int = 0) -> DeadLetter:
    return DeadLetter(
        partition=0, offset=offset, reason=reason, append_ms=at, payload_bytes=len(payload), payload=base64.b64encode(payload).decode(), topic=topic, field=field
    )  # fmt: skip


def test_the_cause_is_that_of_most_of_them() -> None:
    tally = Tally()
    tally.add([letter(n, "not_json", b"a,b,c", at=n) for n in range(5)])
    tally.add([letter(9, "not_json", b"{", at=3), letter(10, "wrong_type", b'{"ts": 1.5}', field="ts")])
    by_json, by_type = tally.groups["not_json", None], tally.groups["wrong_type", "ts"]
    assert (by_json.n, by_json.newest_ms, by_type.n) == (6, 4, 1)
    assert "CSV" in by_json.cause
    assert "fraction" in by_type.cause


def test_a_label_that_comes_again_counts_once() -> None:
    tally = Tally()
    some = [letter(n, "label_invalid", topic="labels") for n in range(3)]
    tally.add(some)
    tally.add(some[1:])
    assert tally.groups["label_invalid", None].n == 3
