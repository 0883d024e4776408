"""Stock Faust with an agent that does nothing: what a framework costs before any work is done. Prints events a second."""

from __future__ import annotations

import sys
import time
from collections.abc import AsyncIterable
from typing import Any

import faust

bootstrap, topic_name, seconds, codec = sys.argv[1], sys.argv[2], float(sys.argv[3]), sys.argv[4]
app = faust.App(
    f"bench-stock-{codec}",
    broker=f"kafka://{bootstrap}",
    consumer_auto_offset_reset="earliest",
    topic_disable_leader=True,
    topic_allow_declare=False,
    web_enabled=False,
    autodiscover=False,
)
# "json" is Faust's default; "raw" hands the bytes through
topic = app.topic(topic_name, key_serializer="raw", value_serializer=codec)


@app.agent(topic)
async def nothing(stream: AsyncIterable[Any]) -> None:
    """Count events, and print the rate; the first seconds do not count, since they go to filling buffers."""
    count, began, said = 0, 0.0, False
    async for _ in stream:
        count += 1
        if not began:
            began = time.monotonic()
        if count % 500 == 0 and not said and (passed := time.monotonic() - began) >= seconds:
            print(f"EPS {count / passed:.1f} CPU {time.process_time():.2f} EVENTS {count}", flush=True)
            said = True


app.finalize()
faust.Worker(app, loglevel="WARNING", quiet=True).execute_from_commandline()
