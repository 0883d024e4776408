"""Which room may import which, who may read a clock or speak to a server, and what must not stand in any file.

The rules are one table. A room is a folder, or a file where the table names one; a longer name wins over a shorter one.
"""

from __future__ import annotations

import ast
import gc
import re
import subprocess
from collections.abc import Iterator
from graphlib import TopologicalSorter
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).parents[1]
SERVERS = {"redis", "faust", "mode", "kafka", "aiokafka", "confluent_kafka", "aiohttp", "socket", "http", "urllib", "requests",
           "sqlalchemy", "alembic", "psycopg", "sqlite3", "smtplib"}  # fmt: skip
CALENDAR = {"datetime", "timedelta", "UTC", "date", "timezone", "tzinfo"}
"""What a room without a clock may use of `datetime`: arithmetic, never the present time. Of `time` it may use nothing."""
NOW = {"now", "utcnow", "today", "time", "time_ns", "monotonic", "monotonic_ns", "perf_counter", "perf_counter_ns"}


PICKLES = {"pickle", "_pickle", "cPickle", "cloudpickle", "dill", "joblib", "marshal", "shelve", "jsonpickle"}
"""What these read may run code, so nothing of ours reads or writes with them: see `online_models.plain`."""


class Rule(NamedTuple):
    """What one room may import: rooms of ours and libraries that speak to a server, each in words with blanks between; and whether it may know the time."""

    ours: str
    servers: str = ""
    clock: bool = False


CORE = "features.definitions features.compiled features.events features.users features.store.keys features.store online_models"
PURE = "stream.position stream.outbox stream.alerts stream.kafka.wire stream.shard"
SHELL = f"{CORE} {PURE} stream.faults stream.shown stream.screen stream.settings stream.kafka.origin stream.kafka"
KAFKA = "kafka aiokafka confluent_kafka"
RULES: dict[str, Rule] = {
    "churnwatch": Rule("", clock=True),  # for programs of others: nothing of the engine
    "features.definitions": Rule(""),
    "features.compiled": Rule("features.definitions"),
    "features.users": Rule("features.definitions features.compiled"),
    "features.events": Rule("features.definitions features.compiled features.users"),
    "features.files": Rule("features.definitions features.compiled features.events"),
    "features.store.keys": Rule("features.definitions"),
    "features.store": Rule("features.definitions features.compiled features.users features.store.keys"),
    "features.store.redis": Rule(
        "features.definitions features.compiled features.users features.store.keys features.store", "redis", clock=True
    ),
    "features.reader": Rule("features.definitions features.users features.store.keys features.store features.store.redis", "redis"),
    "online_models": Rule("features.definitions features.compiled features.users"),
    "online_models.registry_redis": Rule("features.store.keys online_models", "redis"),
    "stream.faults": Rule(""),
    "stream.metric": Rule(""),
    "stream.shown": Rule(""),
    "stream.screen": Rule("stream.shown"),
    "stream.key_file": Rule(""),
    "stream.owned_folder": Rule(""),
    "stream.toml_value": Rule(""),
    "stream.position": Rule(""),
    "stream.outbox": Rule("stream.position"),
    "stream.alerts": Rule("features.definitions features.users stream.position stream.outbox stream.shown"),
    "stream.settings.templates": Rule(""),
    "stream.settings": Rule("features.definitions features.users online_models stream.faults stream.toml_value stream.alerts"),
    "stream.kafka.wire": Rule("stream.position stream.outbox"),
    "stream.kafka.origin": Rule(""),
    "stream.kafka": Rule(
        "stream.faults stream.position stream.outbox stream.settings stream.kafka.wire stream.kafka.origin", KAFKA, clock=True
    ),
    "stream.shard": Rule(f"{CORE} stream.position stream.outbox stream.alerts stream.kafka.wire"),
    "stream.ownership": Rule(f"{CORE} {PURE} stream.faults stream.settings", clock=True),
    "stream.ownership.stored": Rule("features.store.keys stream.shard", "redis"),
    "stream.ownership.erased": Rule("features.store.keys stream.shard stream.ownership.stored", "redis"),
    "stream.ownership.erase": Rule(
        "features.store stream.faults stream.settings stream.kafka stream.ownership.stored stream.ownership.erased", "redis"
    ),
    "stream.intake": Rule(
        f"{SHELL} features.files features.store.redis stream.ownership stream.ownership.stored", f"{KAFKA} faust", clock=True
    ),
    "stream.feedback": Rule(SHELL, KAFKA, clock=True),
    "stream.processes": Rule(
        f"{SHELL} stream.metric features.store.redis online_models.registry_redis stream.ownership stream.intake stream.feedback",
        f"{KAFKA} redis faust mode aiohttp",
        clock=True,
    ),
    "stream.demo": Rule(
        f"{SHELL} stream.key_file stream.owned_folder features.store.redis features.reader online_models.registry_redis stream.ownership stream.intake stream.processes",
        f"{KAFKA} redis socket",
        clock=True,
    ),
    "stream.backtest": Rule(f"{SHELL} features.files stream.ownership stream.intake", clock=True),
    "insights.store": Rule("stream.faults", "sqlalchemy alembic"),
    "insights.past.fold": Rule("features.definitions features.compiled features.users online_models stream.alerts stream.kafka.origin"),
    "insights.analyses.plain": Rule(""),
    "insights.analyses.conditions": Rule("stream.faults"),
    "insights.made": Rule(
        "stream.faults stream.toml_value insights.store insights.analyses.plain insights.analyses.conditions", "sqlalchemy"
    ),
    "insights.past": Rule(
        "features.definitions features.users stream.faults stream.alerts insights.store insights.made insights.past.fold", "sqlalchemy"
    ),
    "insights.past.topics": Rule("stream.kafka", "aiokafka", clock=True),
    "insights.past.follow": Rule(
        "features.store stream.faults stream.settings stream.kafka insights.store insights.past.fold insights.past insights.past.topics",
        "sqlalchemy aiokafka",
        clock=True,
    ),
    "insights.words": Rule(""),
    "insights.charts": Rule("stream.shown insights.words"),
    "insights.live": Rule(
        "features.definitions features.users features.store.keys features.store features.store.redis features.reader online_models "
        "online_models.registry_redis stream.shard stream.alerts stream.settings stream.ownership stream.ownership.stored stream.kafka insights.past",
        "redis kafka",
        clock=True,
    ),
    "insights.history": Rule("features.definitions features.files features.events stream.faults", clock=True),
    "insights.history.live": Rule(
        "features.definitions features.compiled features.users features.events online_models stream.faults stream.metric stream.settings stream.kafka stream.shard stream.alerts stream.intake stream.processes "
        "insights.history",
        "aiokafka",
        clock=True,
    ),
    "insights.analyses.units": Rule("stream.faults"),
    "insights.analyses": Rule(
        "features.definitions stream.faults insights.history insights.analyses.plain insights.analyses.conditions insights.analyses.units"
    ),
    "insights.scenarios": Rule(""),
    "insights.explore": Rule("features.definitions stream.shown insights.words insights.history insights.analyses"),
    "insights.written": Rule("stream.shown insights.words insights.analyses.plain insights.analyses.units"),
    "insights.written.files": Rule("stream.faults stream.shown insights.words insights.analyses insights.analyses.plain insights.written"),
    "insights.asked": Rule("stream.faults stream.owned_folder insights.store insights.made insights.analyses.plain", clock=True),
    "insights.asked.worker": Rule(
        "stream.faults insights.history insights.analyses insights.analyses.plain insights.written insights.written.files insights.asked",
        clock=True,
    ),
    "insights.reports": Rule("stream.settings insights.store insights.analyses.plain", "smtplib sqlalchemy"),
    "insights.watches": Rule("stream.faults stream.settings"),
    "insights.web": Rule(
        f"{CORE} stream.metric stream.faults stream.shown stream.settings stream.alerts features.reader features.store.redis insights.words insights.charts "
        "insights.store insights.past insights.past.fold insights.past.follow insights.live insights.analyses.plain insights.written insights.made insights.asked insights.reports insights.watches stream.kafka stream.ownership stream.ownership.erased stream.ownership.erase features.files churnwatch",
        "redis http",
        clock=True,
    ),
    "stream.cli": Rule("features online_models stream insights", f"{KAFKA} redis urllib", clock=True),
    "stream.__main__": Rule("stream.cli"),
}
"""Lowest first: a room imports rooms above it in this table only, so there is no circle."""


def parsed(text: str) -> ast.Module:
    """Parse without the garbage collector: in CPython 3.11 one that runs meanwhile may raise a SystemError about its own depth."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        return ast.parse(text)
    finally:
        if was_on:
            gc.enable()


def modules() -> Iterator[tuple[str, Path]]:
    for package in ("features", "online_models", "stream", "insights", "churnwatch"):
        for file in sorted((ROOT / package).rglob("*.py")):
            parts = file.relative_to(ROOT).with_suffix("").parts
            yield ".".join(parts[:-1] if parts[-1] == "__init__" else parts), file


FILES = dict(modules())


def room_of(module: str) -> str | None:
    """The row of the table a module belongs to: the longest that is it or is above it."""
    rows = [row for row in RULES if module == row or module.startswith(row + ".")]
    return max(rows, key=len, default=None)


def imported(tree: ast.AST) -> Iterator[str]:
    """Dotted names of all imports, wherever they stand, resolved to files of ours where they are."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            assert not node.level, "relative imports hide the room"
            for alias in node.names:
                full = f"{node.module}.{alias.name}"
                yield full if full in FILES else node.module


def faults_of(module: str, tree: ast.AST) -> list[str]:
    """What of a module is against the table.

    >>> faults_of("features.users.state", ast.parse("import redis"))
    ['features.users may not import redis']
    """
    found = [f"{module} may not import {name}" for name in imported(tree) if name.partition(".")[0] in PICKLES]
    found += [f"{module} may not let numpy read pickles" for node in ast.walk(tree) if isinstance(node, ast.Call) and reads_pickles(node)]
    room = room_of(module)
    if room is None:
        return found + ([] if module in {"features", "stream", "insights", "churnwatch"} else [f"{module} has no row in the table"])
    rule = RULES[room]
    for name in imported(tree):
        root = name.partition(".")[0]
        if root in {"features", "online_models", "stream", "insights", "churnwatch", "tests", "benchmarks"}:
            other = room_of(name) or name
            if other != room and not any(
                other == one or (one in {"features", "online_models", "stream", "insights"} and root == one) for one in rule.ours.split()
            ):
                found.append(f"{room} may not import {other} ({name})")
        elif root in SERVERS and root not in rule.servers.split() and name != "urllib.parse":  # takes addresses apart, speaks to nobody
            found.append(f"{room} may not import {root}")
        elif root == "time" and not rule.clock:
            found.append(f"{room} may not import time")
    if not rule.clock:
        for node in ast.walk(tree):
            if isinstance(node, ast.Attribute) and node.attr in NOW and isinstance(node.value, ast.Name) and node.value.id in CALENDAR:
                found.append(f"{room} may not ask for the present time ({node.value.id}.{node.attr})")
            if isinstance(node, ast.ImportFrom) and node.module == "datetime":
                found += [f"{room} may not import {alias.name} of datetime" for alias in node.names if alias.name not in CALENDAR]
            if isinstance(node, ast.ImportFrom | ast.Import):
                for alias in node.names:
                    if alias.asname and isinstance(node, ast.ImportFrom) and node.module == "datetime":
                        found.append(f"{room} may not give datetime another name")
    return found


def reads_pickles(call: ast.Call) -> bool:
    """Whether a call is numpy's `load` without `allow_pickle=False`, or any call with another value for it."""
    allowed = [not (isinstance(one.value, ast.Constant) and one.value.value is False) for one in call.keywords if one.arg == "allow_pickle"]
    at = call.func
    is_load = isinstance(at, ast.Attribute) and at.attr == "load" and isinstance(at.value, ast.Name) and at.value.id in {"np", "numpy"}
    return any(allowed) or (is_load and not allowed)


@pytest.mark.parametrize("module", FILES)
def test_a_room_imports_only_what_the_table_allows(module: str) -> None:
    assert not faults_of(module, parsed(FILES[module].read_text()))


@pytest.mark.parametrize(
    ("module", "line"),
    [
        ("stream.shard.step", "import redis"),
        ("stream.shard.step", "import time"),
        ("stream.settings", "import urllib.request"),
        ("stream.shard.timers", "from time import time as wall"),
        ("stream.alerts.policy", "def f():\n    import time"),
        ("stream.alerts.policy", "from stream.processes.worker import main"),
        ("stream.kafka.topics", "from stream.cli import context"),
        ("features.users.deep.er", "import kafka"),
        ("features.events.event", "from datetime import datetime as d"),
        ("features.events.event", "from datetime import datetime\ndatetime.now()"),
        ("online_models.trainer", "from stream.settings import Settings"),
        ("stream.unheard_of.file", ""),
        ("online_models.trees", "import pickle"),
        ("stream.cli.model", "def f():\n    from joblib import load"),
        ("insights", "import shelve"),
        ("online_models.memory", "np.load(file)"),
        ("online_models.memory", "np.load(file, allow_pickle=True)"),
    ],
)
def test_what_the_table_forbids_is_seen(module: str, line: str) -> None:
    assert faults_of(module, parsed(line))


def test_rooms_stand_in_order_so_there_is_no_circle() -> None:
    order = list(RULES)
    graph: dict[str, set[str]] = {}
    for module, file in FILES.items():
        room = room_of(module)
        if room is not None:
            others = {
                room_of(name)
                for name in imported(parsed(file.read_text()))
                if name.partition(".")[0] in {"features", "online_models", "stream", "insights"}
            }
            graph.setdefault(room, set()).update(other for other in others if other and other != room)
    tuple(TopologicalSorter(graph).static_order())
    backwards = [f"{room} -> {other}" for room, others in graph.items() for other in others if order.index(other) > order.index(room)]
    # the one file of a room that speaks to a server stands behind its room, which does not import it
    assert not backwards


def test_every_row_is_a_room_that_exists() -> None:
    assert not [row for row in RULES if not any(module == row or module.startswith(row + ".") for module in FILES)]


def test_every_room_says_what_it_answers() -> None:
    for folder in {file.parent for file in FILES.values()}:
        said = ast.get_docstring(parsed((folder / "__init__.py").read_text()))
        assert said, folder
        assert len(said) > 40, folder


@pytest.mark.parametrize("package", ["features", "online_models", "stream", "tests", "benchmarks"])
def test_rivers_stream_module_never_hides_ours(package: str) -> None:
    for file in (ROOT / package).rglob("*.py"):
        for node in ast.walk(parsed(file.read_text())):
            if isinstance(node, ast.ImportFrom) and node.module == "river":
                assert "stream" not in {alias.asname or alias.name for alias in node.names}, file
            if isinstance(node, ast.Import):
                assert "stream" not in {alias.asname for alias in node.names}, file


def tracked() -> list[Path]:
    done = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True)
    return [ROOT / name for name in done.stdout.splitlines()]


def test_locks_hold_no_address() -> None:
    for lock in ROOT.glob("requirements*.lock"):
        assert "://" not in lock.read_text()


def test_no_path_of_a_machine_is_committed() -> None:
    pattern = re.compile(rb"(^|[^a-zA-Z0-9_.])/(work|root|home)/[a-z]")
    found = [
        str(file.relative_to(ROOT))
        for file in tracked()
        if file.is_file() and file.name != Path(__file__).name and pattern.search(file.read_bytes())
    ]
    assert not found


CLIENTS = {
    "AIOKafkaClient", "AIOKafkaConsumer", "AIOKafkaProducer", "AIOKafkaAdminClient", "AIOKafkaConnection", "KafkaConsumer", "KafkaProducer",
    "KafkaAdminClient", "Producer", "Consumer", "SerializingProducer", "DeserializingConsumer", "AdminClient", "create_conn",
}  # fmt: skip
MAKES_CLIENTS = "stream.kafka.connection"
PROBES = "stream.kafka.reach"
"""Opens one connection to say what is wrong with it, and closes it."""


def kafka_clients_of(tree: ast.AST) -> set[str]:
    """Names of Kafka clients that a file calls, by whatever name or module it has them.

    >>> sorted(kafka_clients_of(ast.parse("from kafka import KafkaConsumer as K; K(); import aiokafka; aiokafka.AIOKafkaProducer()")))
    ['AIOKafkaProducer', 'KafkaConsumer']
    """
    names = {name: name for name in CLIENTS - {"Consumer"}}  # Faust has a Consumer too; ours is imported from where clients come
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and (node.module or "").partition(".")[0] in {"kafka", "aiokafka", "confluent_kafka"}:
            names |= {alias.asname or alias.name: alias.name for alias in node.names if alias.name in CLIENTS}
    called = (node.func for node in ast.walk(tree) if isinstance(node, ast.Call))
    found = {
        one.attr if isinstance(one, ast.Attribute) else names.get(one.id, "") for one in called if isinstance(one, ast.Attribute | ast.Name)
    }
    return found & CLIENTS


def test_kafka_clients_are_made_in_one_place() -> None:
    made = {module: found for module, file in FILES.items() if (found := kafka_clients_of(parsed(file.read_text())))}
    assert made.pop(MAKES_CLIENTS) >= {"AIOKafkaConsumer", "AIOKafkaProducer", "KafkaConsumer", "KafkaAdminClient", "Producer"}
    assert made.pop(PROBES) == {"create_conn"}
    assert made == {}


@pytest.mark.parametrize(
    "line",
    [
        "from aiokafka import AIOKafkaConsumer as C\nC()",
        "import aiokafka\naiokafka.AIOKafkaProducer()",
        "def f():\n    from confluent_kafka import Consumer\n    return Consumer({})",
        "from kafka.admin import KafkaAdminClient\nKafkaAdminClient()",
    ],
)
def test_a_kafka_client_made_elsewhere_is_seen(line: str) -> None:
    assert kafka_clients_of(parsed(line))
