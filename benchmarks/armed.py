"""Few and many armed users on one partition, in turn on one machine: `python -m benchmarks.armed [--quick]`.

A shard's budget of 2,000 timers a commit and the 288 buckets of its wheel make 576,000 armed users the most whose every instant fits one commit.
This measures what happens beyond: 1,000,000 users against 200,000, on a real Kafka and Redis, one worker, one partition, each as often as the
other, few-many-many-few. Prints a row for benchmarks/RESULTS.md.

Twice: once with as many clicks per user and day for both (ten, as `make bench` has), and once with the same clicks in the same stretch of event
time, where the many have five times as many landmarks an event.
"""

from __future__ import annotations

import argparse
import json
import signal
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path

from rich.console import Console

from benchmarks.events import Stretch, produce
from benchmarks.world import App, Servers, settled_part
from features.definitions.definition import DAY_MS
from stream.demo.local_redis import LocalRedis
from tests.servers.kafka import KafkaServer
from tests.servers.process import Program

FEW, MANY = 200_000, 1_000_000
CLICKS_PER_USER_DAY = 10
console = Console()


class Crowd:
    """One app on one partition whose users have all clicked once, and are armed."""

    def __init__(self, servers: Servers, folder: Path, users: int) -> None:
        self.app = App(servers, f"armed{users}", folder / str(users), '[alerts]\nmax_age = "9d"\n', partitions=1)
        self.users = users
        self.at_ms = int(time.time() * 1000) - 4 * DAY_MS
        self.parts = 0
        worker = self._send(Stretch(users, self.at_ms - DAY_MS, self.at_ms, users, "w0", once=True))
        self.app.follow(sum(self.app.ends().values()), 300, lambda _done: None)
        self.app.stop(worker)

    def _send(self, stretch: Stretch) -> Program:
        produce(self.app.servers.kafka.bootstrap, self.app.topics["clicks"], stretch)
        return self.app.start()

    def pace(self, events: int, span_ms: int) -> float:
        """Events a second over the next stretch of event time."""
        self.parts += 1
        base, until = self.app.taken(), self.at_ms + span_ms
        worker = self._send(Stretch(events, self.at_ms, until, self.users, f"t{self.parts}"))
        self.at_ms = until
        first, last = settled_part(self.app.follow(sum(self.app.ends().values()), 200, lambda _done: None), base)
        self.app.stop(worker)
        return (last.offset - first.offset) / (last.at - first.at)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--quick", action="store_true", help="a tenth of the users and events, which says nothing about the crowd")
    scale = 0.1 if parser.parse_args().quick else 1.0
    signal.signal(signal.SIGTERM, lambda *_: (_ for _ in ()).throw(SystemExit(143)))
    events = int(400_000 * scale)
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="churnwatch-armed-")))
        servers = Servers(stack.enter_context(KafkaServer(folder / "kafka")), stack.enter_context(LocalRedis(folder / "redis")))
        few, many = (Crowd(servers, folder, int(users * scale)) for users in (FEW, MANY))
        stack.callback(few.app.kill_all)
        stack.callback(many.app.kill_all)
        same_ms = events * DAY_MS // (few.users * CLICKS_PER_USER_DAY)
        found: dict[str, list[float]] = {"few": [], "many": [], "few, same stretch": [], "many, same stretch": []}
        for crowd in (few, many, many, few):
            name = "few" if crowd is few else "many"
            found[name].append(crowd.pace(events, events * DAY_MS // (crowd.users * CLICKS_PER_USER_DAY)))
            console.print(f"{crowd.users:,} users: {found[name][-1]:,.0f} events/s")
        for crowd in (few, many, many, few):
            name = "few, same stretch" if crowd is few else "many, same stretch"
            found[name].append(crowd.pace(events, same_ms))
            console.print(f"{crowd.users:,} users, the same stretch of time: {found[name][-1]:,.0f} events/s")
        pace = {name: sum(values) / len(values) for name, values in found.items()}
        said = {
            "armed_users": [few.users, many.users],
            "eps": {name: round(value) for name, value in pace.items()},
            "ratio": round(pace["many"] / pace["few"], 2),
            "ratio_same_stretch": round(pace["many, same stretch"] / pace["few, same stretch"], 2),
        }
    console.print_json(json.dumps(said))


if __name__ == "__main__":
    main()
