"""Sends the made-up product's clicks to a topic, or writes them to a file."""

from __future__ import annotations

import time
from pathlib import Path

from stream.demo.product import DAY_MS, make_product
from stream.kafka.clients import clicks_producer
from stream.settings import Settings


def write(out: Path, *, days: int, users: int, seed: int) -> int:
    """Write the events to a JSONL file, the last one now; return how many there are."""
    product = make_product(int(time.time() * 1000) - days * DAY_MS, days, users, seed)
    with out.open("wb") as file:
        file.writelines(click.payload + b"\n" for click in product.clicks)
    return len(product.clicks)


def send(settings: Settings, *, days: int, users: int, seed: int) -> int:
    """Send the events to the clicks topic, the last one now; return how many there are."""
    product = make_product(int(time.time() * 1000) - days * DAY_MS, days, users, seed)
    producer, topic = clicks_producer(settings)
    for click in product.clicks:
        producer.produce(topic, click.payload, click.user.encode())
        producer.poll(0)
    producer.flush()
    return len(product.clicks)
