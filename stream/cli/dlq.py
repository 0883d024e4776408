"""`dlq`: what was rejected, and putting it back once its cause is mended."""

from __future__ import annotations

import base64
import time
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from stream.cli import context
from stream.faults import UsageFault, as_new_app
from stream.screen import Column, Screen
from stream.shard.dead_letters import LABEL_REASONS, DeadLetter, decode_dead_letter, with_field

if TYPE_CHECKING:
    from stream.kafka.replayed import Progress
    from stream.settings import Settings
    from stream.shard.meta import ShardMeta
    from stream.shard.replay import Plan

dlq_app = typer.Typer(no_args_is_help=True)
Group = tuple[str, str | None]
"""Reason and field."""


def read_letters(settings: Any) -> Iterator[DeadLetter]:
    """Yield every dead letter there is now once, partition by partition."""
    from stream.kafka.clients import everything, reader

    labels: set[int] = set()
    for message in everything(*reader(settings, "dead_letters")):
        letter = with_field(decode_dead_letter(message.value))
        if letter.topic == "clicks" or letter.offset not in labels:
            yield letter
        if letter.topic != "clicks":
            labels.add(letter.offset)


@dlq_app.command("ls")
def list_letters(
    reason: Annotated[str | None, typer.Option(help="only this reason")] = None,
    show: Annotated[int, typer.Option("--show", min=0, help="how many to show in full")] = 10,
) -> None:
    """Count dead letters by reason and field, say what such payloads usually are, and show some."""
    from stream.kafka.replayed import read_progress
    from stream.shard.causes import usual_cause

    settings = context.settings()
    letters: Counter[Group] = Counter()
    again: Counter[Group] = Counter()
    causes: Mapping[Group, Counter[str]] = defaultdict(Counter)
    some: list[DeadLetter] = []
    sent = read_progress(settings).sent
    for letter in read_letters(settings):
        if reason not in {None, letter.reason}:
            continue
        group = letter.reason, letter.field
        letters[group] += 1
        again[group] += (letter.topic, letter.partition, letter.offset) in sent
        causes[group][usual_cause(letter)] += 1
        if len(some) < show:
            some.append(letter)
    screen = Screen()
    if not letters:
        screen.line("no dead letters" if reason is None else f"no dead letters of reason {reason}")
        return
    columns = [
        Column("reason"),
        Column("field"),
        Column("letters", right=True),
        Column("sent again", right=True),
        Column("usual cause", wrapped=True),
    ]
    rows = [
        (
            name,
            blamed or "",
            f"{number:,}",
            f"{again[name, blamed]:,}" if again[name, blamed] else "",
            causes[name, blamed].most_common(1)[0][0],
        )
        for (name, blamed), number in letters.most_common()
    ]
    screen.table(columns, rows)
    for letter in some:
        payload = "" if letter.payload is None else base64.b64decode(letter.payload)[:120].decode(errors="backslashreplace")
        screen.line(f"{letter.topic} {letter.partition}:{letter.offset} {letter.reason} {payload}")


@dlq_app.command()
def replay(
    reason: Annotated[str, typer.Option(help="which ones, for example unknown_type")],
    yes: Annotated[bool, typer.Option("--yes", help="do it; without, only say what it would do")] = False,
) -> None:
    """Send dead letters of one reason to where they came from again, once their cause is mended; each of them once."""
    from features.events.event import REJECTS
    from stream.kafka.replayed import Replayer, read_progress
    from stream.settings import nearest
    from stream.shard.replay import in_words

    known = [*(one.name for one in REJECTS), *LABEL_REASONS]
    if reason not in known:
        raise UsageFault(f"no reason {reason!r}{nearest(reason, known)}; there are {', '.join(known)}")
    settings = context.settings()
    replayer = Replayer(settings) if yes else None  # before the notes are read: from here on nobody else writes one
    progress = read_progress(settings)
    letters = [letter for letter in read_letters(settings) if letter.reason == reason]
    plan_of = _plan_labels if reason in LABEL_REASONS else _plan_clicks
    plan = plan_of(settings, letters, progress)
    screen = Screen()
    for line in in_words(plan, reason, as_new_app(settings["app.name"])):
        screen.line(line)
    if not plan.send:
        return
    if replayer is None:
        screen.line("say --yes to send them")
        return
    replayer.send([((one.letter.topic, one.letter.partition, one.letter.offset), one.key or None, one.value) for one in plan.send])
    screen.line(f"{len(plan.send)} sent")


def _plan_clicks(settings: Settings, letters: Sequence[DeadLetter], progress: Progress) -> Plan:
    from features.definitions.rules import unpack_history
    from features.store.redis import connect, load_spec
    from stream.ownership.stored import stored_metas
    from stream.shard.replay import plan_replay

    client, app = connect(settings["redis.url"]), settings["app.name"]
    stored = load_spec(client, app)
    rules = settings.rules(None if stored is None else stored.spec)
    metas: dict[int, ShardMeta] = {} if stored is None else stored_metas(client, app, stored.partitions)
    # a shard says in Kafka what it follows when it is taken, and stores it in Redis with its next record, which may be long in coming
    histories = {partition: meta.rules for partition, meta in metas.items()}
    histories |= {partition: unpack_history(packed) for partition, packed in progress.rules.items()}
    behind = sorted(partition for partition in metas if histories[partition] and histories[partition][-1].rules != rules)
    if behind:
        raise UsageFault(
            f"shard {', '.join(map(str, behind))} still follows other rules than [features] of this configuration says: "
            "restart the workers with it first, then replay"
        )
    watermarks = {} if stored is None else {partition: meta.watermark_ms(stored.spec.lateness_ms) for partition, meta in metas.items()}
    return plan_replay(letters, rules, int(time.time() * 1000), watermarks, progress.sent)


def _plan_labels(settings: Settings, letters: Sequence[DeadLetter], progress: Progress) -> Plan:
    from stream.feedback.labels import BadLabel, read_label
    from stream.shard.replay import Again, Plan

    external = [one.name for one in settings.definitions if one.kind == "external"]
    plan = Plan()
    for letter in letters:
        if (letter.topic, letter.partition, letter.offset) in progress.sent:
            plan.sent_before += 1
            continue
        value = None if letter.payload is None else base64.b64decode(letter.payload)
        if value is not None and letter.payload_bytes > len(value):
            plan.cut += 1
            continue
        try:
            read_label(0, value, external)
        except BadLabel as error:
            plan.rejected[error.reason, error.field] += 1
        else:
            plan.send.append(Again(letter, b"", value or b""))
    return plan
