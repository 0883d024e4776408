"""What the measurements run on: one Kafka, one Redis, apps with worker processes, and meters of progress, CPU and memory."""

from __future__ import annotations

import contextlib
import os
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil
import redis
from kafka import KafkaConsumer, TopicPartition

from features.store.keys import shard_keys
from features.store.redis import connect
from stream.cli.admin import create_topics
from stream.demo.local_redis import LocalRedis, free_port
from stream.kafka.topics import topic_names
from stream.ownership.stored import stored_metas
from stream.settings import load_settings
from stream.shard.meta import ShardMeta
from tests.servers.kafka import KafkaServer
from tests.servers.process import Program

PARTITIONS = 4


class TooSlow(RuntimeError):
    """A phase of the measurement took longer than its bound."""


@dataclass
class Servers:
    """One Kafka node and one redis-server with its append-only file on."""

    kafka: KafkaServer
    redis: LocalRedis

    def pids(self) -> list[int]:
        return [server.process.pid for server in (self.kafka, self.redis) if server.process is not None]


@dataclass(frozen=True, slots=True)
class Sample:
    """Progress and CPU at one moment."""

    at: float
    offset: int
    """Records taken, over all partitions."""
    cpu_s: float
    """CPU seconds of all processes."""
    owners: tuple[bytes | None, ...]
    """Epoch of each shard, which changes when the shard changes hands."""


@dataclass
class App:
    """One deployment of churnwatch: its topics, its settings, its processes."""

    servers: Servers
    name: str
    folder: Path
    toml: str
    partitions: int = PARTITIONS
    programs: list[Program] = field(default_factory=list)
    started: int = 0

    def __post_init__(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        config = self.folder / "churnwatch.toml"
        config.write_text(f'[app]\ngroup = "{self.name}"\n[kafka]\npartitions = {self.partitions}\n{self.toml}')
        self.environment = {
            "CHURNWATCH_KAFKA": self.servers.kafka.bootstrap,
            "CHURNWATCH_REDIS": self.servers.redis.url,
            "CHURNWATCH_APP": self.name,
            "CHURNWATCH_TOPIC_PREFIX": f"{self.name}.",
            "CHURNWATCH_CONFIG": str(config),
        }
        self.settings = load_settings(config, self.environment)
        self.topics = topic_names(f"{self.name}.")
        self.client: redis.Redis = connect(self.servers.redis.url)
        list(create_topics(self.settings))

    def start(self, command: str = "run") -> Program:
        """Start a process of the app. A worker has its web page on, as in production."""
        self.started += 1
        environment = {**self.environment, "CHURNWATCH_WEB": f"127.0.0.1:{free_port()}"}
        program = Program([command], environment, self.folder / f"{command}-{self.started}.log")
        self.programs.append(program)
        return program

    def stop(self, *programs: Program) -> None:
        for program in programs:
            code = program.terminate(30)
            if code:
                raise RuntimeError(f"{program.log} ended with {code}:\n{program.text()[-2000:]}")
            self.programs.remove(program)

    def kill_all(self) -> None:
        for program in self.programs:
            program.kill()

    def metas(self) -> list[ShardMeta]:
        return list(stored_metas(self.client, self.name, self.partitions).values())

    def taken(self) -> int:
        return sum(meta.next_offset for meta in self.metas())

    def totals(self) -> dict[str, int]:
        """Return the outcomes of all records and the number of examples, over all shards."""
        found: dict[str, int] = {"examples": 0}
        for meta in self.metas():
            found["examples"] += meta.example_no
            for name, count in meta.totals.items():
                found[name] = found.get(name, 0) + count
        return found

    def ends(self) -> dict[int, int]:
        """Return the end offsets of clicks."""
        return ends_of(self.servers.kafka.bootstrap, self.topics["clicks"], self.partitions)

    def cpu_s(self) -> float:
        """Return the CPU seconds so far of Kafka, Redis, workers and trainer."""
        pids = [*self.servers.pids(), *(program.process.pid for program in self.programs)]
        return sum(cpu_of(pid) for pid in pids)

    def sample(self) -> Sample:
        epochs: list[Any] = [self.client.hget(shard_keys(self.name, number).owner, "epoch") for number in range(self.partitions)]
        offset = self.taken()
        return Sample(time.monotonic(), offset, self.cpu_s(), tuple(epochs))

    def follow(self, goal: int, timeout_s: float, told: Callable[[int], None]) -> list[Sample]:
        """Sample until `goal` records are taken.

        Raises
        ------
        TooSlow
            With the end of the newest log.
        """
        samples = [self.sample()]
        deadline = time.monotonic() + timeout_s
        while samples[-1].offset < goal:
            if time.monotonic() > deadline or any(program.process.poll() is not None for program in self.programs):
                tails = "\n".join(program.text()[-1500:] for program in self.programs)
                raise TooSlow(f"{samples[-1].offset:,} of {goal:,} records after {timeout_s:g} s\n{tails}")
            time.sleep(0.05)
            samples.append(self.sample())
            told(samples[-1].offset)
        return samples

    def settle(self, timeout_s: float = 120.0) -> None:
        """Wait until workers and trainer have nothing left to do: under 8 % of a core over a second."""
        deadline = time.monotonic() + timeout_s
        pids = [program.process.pid for program in self.programs]
        while time.monotonic() < deadline:
            before = sum(map(cpu_of, pids))
            time.sleep(1.0)
            if sum(map(cpu_of, pids)) - before < 0.08 * max(1, len(pids)):
                return


def ends_of(bootstrap: str, topic: str, partitions: int) -> dict[int, int]:
    consumer = KafkaConsumer(bootstrap_servers=bootstrap, enable_auto_commit=False)
    try:
        ends = consumer.end_offsets([TopicPartition(topic, number) for number in range(partitions)])
        return {tp.partition: end for tp, end in ends.items()}
    finally:
        consumer.close()


def cpu_of(pid: int) -> float:
    """Return the CPU seconds so far of a process and of its ended children (Redis compacts its file in one); 0 when it is gone."""
    with contextlib.suppress(psutil.NoSuchProcess):
        times = psutil.Process(pid).cpu_times()
        return float(times.user + times.system + times.children_user + times.children_system)
    return 0.0


def settled_part(samples: Sequence[Sample], base: int) -> tuple[Sample, Sample]:
    """Return the first and the last sample of the stretch in which no shard changed hands, from its first commit to its last.

    Parameters
    ----------
    base : int
        Records taken before the measurement.
    """
    last_change = max((i for i in range(1, len(samples)) if samples[i].owners != samples[i - 1].owners), default=0)
    floor = max(base, samples[last_change].offset)
    first = next(sample for sample in samples[last_change:] if sample.offset > floor)
    last = next(sample for sample in samples if sample.offset == samples[-1].offset)
    if last.at <= first.at:
        raise TooSlow("the log was used up before all workers had settled; measure with more events")
    return first, last


def side_program(module: str, args: Sequence[str], log: Path) -> Program:
    """Start another program of this folder, `python -m MODULE ARGS`; its lines go to `log`."""
    code = f"import runpy, sys; sys.argv[1:] = {list(args)!r}; runpy.run_module({module!r}, run_name='__main__')"
    return _Side(code, log)


class _Side(Program):
    def __init__(self, code: str, log: Path) -> None:
        import subprocess

        self.log = log
        environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[1])}
        with log.open("ab") as file:
            self.process = subprocess.Popen(
                [sys.executable, "-c", code], stdout=file, stderr=file, env=environment, stdin=subprocess.DEVNULL, start_new_session=True,
                cwd=log.parent,
            )  # fmt: skip


def memory_of(client: redis.Redis, pattern: str) -> tuple[int, int]:
    """Return how many keys match, and the bytes they take, every element counted."""
    keys = list(client.scan_iter(pattern.replace("{", "[{]").replace("}", "[}]"), count=5_000))
    total = 0
    for at in range(0, len(keys), 1_000):
        with client.pipeline(transaction=False) as pipe:
            for key in keys[at : at + 1_000]:
                pipe.memory_usage(key, samples=0)
            total += sum(size or 0 for size in pipe.execute())
    return len(keys), total


def used_memory(client: redis.Redis) -> int:
    """Return the bytes that Redis holds, without the buffers of clients and of the file."""
    info: dict[str, Any] = client.info("memory")  # type: ignore[assignment]
    return int(info["used_memory"]) - int(info.get("mem_clients_normal", 0)) - int(info.get("mem_aof_buffer", 0))
