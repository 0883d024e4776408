"""The job as people write it: Faust an event at a time, features in a Redis hash (read, change, write), River one by one."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import AsyncIterable
from typing import Any

import faust
import redis.asyncio
from river import compose, linear_model, preprocessing

bootstrap, topic_name, seconds, redis_url = sys.argv[1], sys.argv[2], float(sys.argv[3]), sys.argv[4]
app = faust.App(
    "bench-naive",
    broker=f"kafka://{bootstrap}",
    consumer_auto_offset_reset="earliest",
    topic_disable_leader=True,
    topic_allow_declare=False,
    web_enabled=False,
    autodiscover=False,
)
topic = app.topic(topic_name, key_serializer="raw", value_serializer="raw")
client = redis.asyncio.Redis.from_url(redis_url, decode_responses=True)
model = compose.Pipeline(preprocessing.StandardScaler(), linear_model.LogisticRegression())
NAMES = ("count", "views", "purchases", "gap_mean", "gap_last", "sessions", "hour", "weekday", "tenure_d", "active_days")
for label in (0, 1):
    model.learn_one(dict.fromkeys(NAMES, float(label)), bool(label))


@app.agent(topic)
async def score(stream: AsyncIterable[Any]) -> None:
    """The job keeps ten features, and has no timers, no labels, no outbox, and no exactly-once delivery."""
    count, began, said = 0, 0.0, False
    async for payload in stream:
        event = json.loads(payload)
        key, ts = f"naive:{event['user']}", event["ts"]
        state = await client.hgetall(key)
        last, first = float(state.get("last", ts)), float(state.get("first", ts))
        gap = (ts - last) / 1000
        total = float(state.get("count", 0)) + 1
        features = {
            "count": total,
            "views": float(state.get("views", 0)) + (event["type"] == "view"),
            "purchases": float(state.get("purchases", 0)) + (event["type"] == "purchase"),
            "gap_mean": float(state.get("gap_mean", 0)) + (gap - float(state.get("gap_mean", 0))) / total,
            "gap_last": gap,
            "sessions": float(state.get("sessions", 0)) + (gap > 1800),
            "hour": float(ts // 3_600_000 % 24),
            "weekday": float(ts // 86_400_000 % 7),
            "tenure_d": (ts - first) / 86_400_000,
            "active_days": float(state.get("active_days", 0)) + (ts // 86_400_000 != last // 86_400_000),
        }
        risk = model.predict_proba_one(features)[True]
        await client.hset(key, mapping={**features, "first": first, "last": ts, "risk": risk})
        count += 1
        if not began:
            began = time.monotonic()
        if count % 50 == 0 and not said and (passed := time.monotonic() - began) >= seconds:
            print(f"EPS {count / passed:.1f} CPU {time.process_time():.2f} EVENTS {count}", flush=True)
            said = True


app.finalize()
faust.Worker(app, loglevel="WARNING", quiet=True).execute_from_commandline()
