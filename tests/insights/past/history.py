"""Made-up topics: what two shards and the copier of labels might have written, with all that a log may hold twice, and some that is not ours."""

from __future__ import annotations

import random
from dataclasses import dataclass, field

import numpy as np

from features.definitions.definition import DAY_MS, NO_LABEL, ChurnDefinition
from features.users.landmarks import PHASE_STEP_MS, phase_of
from features.users.spec import HOUR_MS, FeatureSpec
from online_models.example import LABEL, SNAPSHOT, ExampleBlock, Examples
from online_models.external_labels import ExternalLabel, LabelBlock
from stream.alerts.message import Alert, ReasonCode, alert_id, entry_of
from stream.kafka.origin import app_header
from stream.position import Position

APP = "shop"
HORIZON_MS = 10 * DAY_MS
GONE = ChurnDefinition(name="gone", horizon_ms=HORIZON_MS)
CONTRACT = ChurnDefinition(name="contract", kind="external", horizon_ms=HORIZON_MS)
SPEC = FeatureSpec(definitions=(GONE, CONTRACT), timezone="Europe/Berlin", lateness_ms=HOUR_MS)
NAMES = [GONE.name, CONTRACT.name]
USERS = ("ann", "bob", "cem \x00 <b>", "陈", *(f"user-{number}" for number in range(8)))
WIDTH = 3
BROKEN = b"{broken"
ALERTS, EXAMPLES = "shop.alerts", "shop.examples"


@dataclass(frozen=True)
class Record:
    """A record of a topic as a consumer has it."""

    value: bytes
    headers: list[tuple[str, bytes]]
    stamp_ms: int


@dataclass(frozen=True)
class Item:
    """A snapshot or a label as a shard says it; `alert` is what its alert says beside it, if any."""

    due_ms: int
    kind: int
    definition: int
    user: str
    landmark_ms: int
    risk: int
    version: int
    label: int


@dataclass
class Topics:
    alerts: dict[int, list[Record]] = field(default_factory=dict)
    examples: list[Record] = field(default_factory=list)

    def partitions(self) -> dict[tuple[str, int], list[Record]]:
        return {**{(ALERTS, number): log for number, log in self.alerts.items()}, (EXAMPLES, 0): self.examples}


def made_up(seed: int, days: range) -> Topics:
    """Make topics of what happened on some days."""
    rng = random.Random(seed)
    topics = Topics()
    blocks: list[list[tuple[int, Record]]] = []
    for partition in range(2):
        users = [user for user in USERS if phase_of(user) % 2 == partition]
        items = _items(rng, users, days)
        topics.alerts[partition] = list(_alerts(rng, partition, items))
        blocks.append(list(_blocks(rng, partition, items)))
    blocks.append(list(_told(rng, days)))
    # each writer's records stay in order; between writers any order may come
    while any(blocks):
        log = rng.choice([one for one in blocks if one])
        topics.examples.append(log.pop(0)[1])
    for log in (*topics.alerts.values(), topics.examples):
        for _ in range(rng.randrange(2)):
            log.insert(rng.randrange(len(log) + 1), rng.choice((Record(BROKEN, app_header(APP), 0), *_foreign(log))))
    return topics


def _foreign(log: list[Record]) -> list[Record]:
    return [Record(log[0].value, app_header("blog"), log[0].stamp_ms)] if log else []


def _items(rng: random.Random, users: list[str], days: range) -> list[Item]:
    found = []
    for day in days:
        for user in users:
            landmark = day * DAY_MS + phase_of(user) * PHASE_STEP_MS
            for k in range(2):
                if rng.random() < 0.3:
                    continue
                risk, version = rng.choice((0, 1, 45_874, 45_875, 55_704, 55_705, 65_535, rng.randrange(65_536))), rng.randrange(1 << 32)
                mature = landmark + HORIZON_MS + SPEC.lateness_ms
                label = NO_LABEL if k else rng.randrange(2)
                found.append(Item(landmark, SNAPSHOT, k, user, landmark, risk, version, NO_LABEL))
                if rng.random() < 0.9:
                    found.append(Item(mature, LABEL, k, user, landmark, risk, version, label))
    return sorted(found, key=lambda one: (one.due_ms, one.user, one.definition))


def _alerts(rng: random.Random, partition: int, items: list[Item]) -> list[Record]:
    said: list[tuple[int, Alert]] = []
    for one in items:
        if one.kind != SNAPSHOT or rng.random() < 0.5:
            continue
        opened = _alert(partition, one)
        said.append((one.due_ms, opened))
        ends_ms = one.landmark_ms + (rng.randrange(1, HORIZON_MS) if rng.random() < 0.5 else HORIZON_MS)
        cause = "horizon" if ends_ms == one.landmark_ms + HORIZON_MS else "returned"
        if rng.random() < 0.9:
            changes = {
                "type": "resolved",
                "cause": cause,
                "event_time_ms": ends_ms,
                "risk": None,
                "threshold": None,
                "reasons": [],
                "reason_codes": [],
            }
            said.append((ends_ms, _alert(partition, one, **changes)))
    records = []
    for due_ms, alert in sorted(said, key=lambda pair: (pair[0], pair[1].type)):
        entry = entry_of(APP, Position(due_ms, due_ms, alert.user, 2), alert)
        record = Record(entry.value, list(entry.headers), due_ms)
        records.append(record)
        if rng.random() < 0.1:
            records.append(rng.choice(records))  # said again, now or much later
    return records


def _alert(partition: int, item: Item, **changes: object) -> Alert:
    name = NAMES[item.definition]
    about = {
        "alert_id": alert_id(APP, name, item.user, item.landmark_ms), "type": "opened", "cause": None, "user": item.user,
        "definition": name, "risk": round(item.risk / 65_535, 4), "threshold": 0.5, "horizon_ms": HORIZON_MS,
        "landmark_ms": item.landmark_ms, "valid_until_ms": item.landmark_ms + HORIZON_MS, "event_time_ms": item.landmark_ms,
        "scored_ms": item.landmark_ms + 7, "reasons": ["No activity for 9.8 days", "第二"],
        "reason_codes": [ReasonCode("silence", 846_720.0, None, "seconds")], "model": "logistic",
        "model_version": item.version, "partition": partition, "input_offset": 1,
    }  # fmt: skip
    return Alert(**{**about, **changes})  # type: ignore[arg-type]  # made from one dict


def _blocks(rng: random.Random, partition: int, items: list[Item]) -> list[tuple[int, Record]]:
    """Cut items into blocks as one owner does, and the next one again from an earlier item on; or as a shard that is made anew does."""
    found = []
    histories = [("0", items)]
    if items and rng.random() < 0.3:  # made anew: it numbers from 0 again, and may say again what was said before
        at = rng.randrange(len(items))
        histories = [("0", items[: rng.randrange(at, len(items)) + 1]), ("1", items[at:])]
    for lineage, own in histories:
        start = 0
        while start < len(own):
            again = max(0, start - rng.randrange(12)) if rng.random() < 0.3 else start
            stop = min(len(own), start + rng.randrange(1, 12))
            some = own[again:stop]
            watermark = some[-1].due_ms + 1
            found.append((watermark, _record(rng, ExampleBlock(lineage, partition, again, watermark, SPEC.hash, NAMES, _columns(some)))))
            start = stop
            if rng.random() < 0.2:  # a block without items, or all of one block once more
                empty = ExampleBlock(lineage, partition, start, watermark + 5, SPEC.hash, NAMES, _columns([]))
                found.append((watermark, rng.choice((found[-1][1], _record(rng, empty)))))
    return found


def _record(rng: random.Random, block: ExampleBlock) -> Record:
    headers = app_header(APP) if rng.random() < 0.9 else []  # an earlier build named no app
    return Record(block.pack(), headers, max(0, block.watermark_ms))


def _columns(items: list[Item]) -> Examples:
    columns = {name: [getattr(one, name) for one in items] for name in ("kind", "definition", "landmark_ms", "risk", "label")}
    return Examples(
        kind=np.array(columns["kind"], np.uint8),
        definition=np.array(columns["definition"], np.uint8),
        landmark_ms=np.array(columns["landmark_ms"], np.int64),
        matured_ms=np.array([one.landmark_ms + HORIZON_MS + SPEC.lateness_ms for one in items], np.int64),
        risk=np.array(columns["risk"], np.uint16),
        model_version=np.array([one.version for one in items], np.uint32),
        flags=np.zeros(len(items), np.uint8),
        label=np.array(columns["label"], np.uint8),
        vectors=np.zeros((len(items), WIDTH), np.uint8),
        users=[one.user for one in items],
    )


def _told(rng: random.Random, days: range) -> list[tuple[int, Record]]:
    """Make blocks of labels from outside; the copier that was killed copies some of them again."""
    labels = []
    for day in days:
        for user in USERS:
            if rng.random() < 0.5:
                at = day * DAY_MS + phase_of(user) * PHASE_STEP_MS + rng.randrange(DAY_MS)
                labels.append(ExternalLabel(len(labels), user, CONTRACT.name, at, rng.randrange(2), at + DAY_MS))
                if rng.random() < 0.2:
                    labels.append(ExternalLabel(len(labels), user, CONTRACT.name, at, rng.randrange(2), at + DAY_MS))
    found, start = [], 0
    while start < len(labels):
        again = max(0, start - rng.randrange(4))
        stop = min(len(labels), start + rng.randrange(1, 9))
        found.append((0, Record(LabelBlock(stop, labels[again:stop]).pack(), app_header(APP), 0)))
        start = stop
    return found
