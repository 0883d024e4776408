"""`dlq`: what was rejected, and putting it back once its cause is mended."""

from __future__ import annotations

import base64
from collections import Counter
from collections.abc import Iterator
from typing import Annotated, Any

import typer

from stream.cli import context
from stream.faults import UsageFault
from stream.screen import Column, Screen
from stream.shard.dead_letters import KEPT_BYTES, LABEL_REASONS, DeadLetter, decode_dead_letter

dlq_app = typer.Typer(no_args_is_help=True)


def read_letters(settings: Any) -> Iterator[DeadLetter]:
    """Yield every dead letter there is now once, partition by partition."""
    from stream.kafka.clients import reader

    consumer, partitions = reader(settings, "dead_letters")
    labels: set[int] = set()
    try:
        for tp in partitions:
            consumer.assign([tp])
            consumer.seek_to_beginning(tp)
            end = consumer.end_offsets([tp])[tp]
            while consumer.position(tp) < end:
                for message in consumer.poll(timeout_ms=500).get(tp, []):
                    letter = decode_dead_letter(message.value)
                    if letter.topic == "clicks" or letter.offset not in labels:
                        yield letter
                    if letter.topic != "clicks":
                        labels.add(letter.offset)
    finally:
        consumer.close()


@dlq_app.command("ls")
def list_letters(
    reason: Annotated[str | None, typer.Option(help="only this reason")] = None,
    show: Annotated[int, typer.Option("--show", min=0, help="how many to show in full")] = 10,
) -> None:
    """Count dead letters by reason and show some."""
    counts: Counter[str] = Counter()
    some: list[DeadLetter] = []
    for letter in read_letters(context.settings()):
        counts[letter.reason] += 1
        if len(some) < show and reason in {None, letter.reason}:
            some.append(letter)
    screen = Screen()
    if not counts:
        screen.line("no dead letters")
        return
    screen.table([Column("reason"), Column("letters", right=True)], [(name, f"{number:,}") for name, number in counts.most_common()])
    for letter in some:
        payload = "" if letter.payload is None else base64.b64decode(letter.payload)[:120].decode(errors="backslashreplace")
        screen.line(f"{letter.topic} {letter.partition}:{letter.offset} {letter.reason} {payload}")


@dlq_app.command()
def replay(
    reason: Annotated[str, typer.Option(help="which ones, for example unknown_type")],
    yes: Annotated[bool, typer.Option("--yes", help="do it; without, only count")] = False,
) -> None:
    """Send dead letters of one reason to where they came from again, once their cause is mended."""
    from features.events.event import REJECTS
    from stream.kafka.clients import clicks_producer
    from stream.kafka.topics import topic_names
    from stream.settings import nearest

    known = [*(one.name for one in REJECTS), *LABEL_REASONS]
    if reason not in known:
        raise UsageFault(f"no reason {reason!r}{nearest(reason, known)}; there are {', '.join(known)}")
    if reason == "late":
        raise UsageFault("late events would be late again: ingest them under a new CHURNWATCH_APP and CHURNWATCH_TOPIC_PREFIX instead")
    settings = context.settings()
    topics = topic_names(settings["kafka.topic_prefix"], settings["kafka.clicks"])
    screen = Screen()
    whole, cut = [], 0
    for letter in read_letters(settings):
        if letter.reason != reason or letter.payload is None:
            continue
        if letter.payload_bytes > KEPT_BYTES:
            cut += 1
        else:
            whole.append((topics[letter.topic], letter.partition, base64.b64decode(letter.payload)))
    screen.line(f"{len(whole)} to send again, {cut} longer than {KEPT_BYTES} bytes and so not kept whole")
    if not yes or not whole:
        return
    producer, _ = clicks_producer(settings)
    for topic, partition, payload in whole:
        # to the partition it came from: that shard has what is known of its user
        producer.produce(topic, payload, partition=partition)
    producer.flush()
    screen.line(f"{len(whole)} sent")
