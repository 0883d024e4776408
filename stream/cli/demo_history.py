"""`python -m stream.cli.demo_history FILE`: the writer of the demo's history, in a process of its own.

It is `churnwatch history run`, but for how it asks Kafka: the demo's broker in memory names no topics by an id, and its checksums do not hold in transactions.
"""

from __future__ import annotations

import sys
from pathlib import Path

from insights.history.live.clicks import Topic
from insights.history.live.program import Log, main
from stream.cli import context
from stream.cli.history import rules_of
from stream.demo.process import end_with_the_demo
from stream.demo.servers import PARTITIONS, settings_in
from stream.kafka.connection import Connection

DERIVE_EVERY_S = 5.0
"""Days go by in a moment here."""


def topic(_connection: Connection, name: str, logical: str = "clicks") -> Topic:
    """Return a topic of the demo, which is the same as long as its broker lives."""
    return Topic(name, "demo", PARTITIONS, logical)


if __name__ == "__main__":
    context.log_to_stderr()
    end_with_the_demo()
    settings = settings_in(Path(sys.argv[1]))
    sys.exit(main(settings, rules_of(settings), Log(topic, check_crcs=False), derive_every_s=DERIVE_EVERY_S))
