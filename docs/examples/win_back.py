"""Send a win-back for every alert that is still open: `python win_back.py KAFKA REDIS_URL APP [TOPIC]`."""

import json
import sys
import time

import redis
from kafka import KafkaConsumer

from features.reader import UserReader


def send(user: str, reasons: list[str], idempotency_key: str) -> None:
    """Put your mail or push provider here; with the key, a repeat after a crash reaches nobody twice."""
    print(f"win-back {idempotency_key} to {user}: {reasons[0]}", flush=True)


def main(bootstrap: str, redis_url: str, app: str, topic: str = "alerts") -> None:
    """Read, look again, send, remember, confirm: in this order a crash at any point loses nothing."""
    states, done = UserReader(redis_url, app), redis.Redis.from_url(redis_url)
    settings = {
        "isolation_level": "read_committed",
        "enable_auto_commit": False,
        "auto_offset_reset": "earliest",
        "session_timeout_ms": 6_000,
    }
    for message in (consumer := KafkaConsumer(topic, bootstrap_servers=bootstrap, group_id=f"{app}-win-back", **settings)):
        alert, now_ms = json.loads(message.value), int(time.time() * 1000)
        key = f"win-back:{alert['alert_id']}"
        ours = dict(message.headers)["ce_source"].startswith(f"/churnwatch/{app}/".encode())  # no other app's
        if ours and alert["type"] == "opened" and now_ms < alert["valid_until_ms"] and not done.exists(key):
            user = states.user(alert["user"], now_ms)
            now = user and user.definitions[alert["definition"]]
            if now and now.alert_open and now.opened_ms == alert["landmark_ms"]:  # not back in the meantime
                send(alert["user"], alert["reasons"], alert["alert_id"])
            done.set(key, 1, px=alert["valid_until_ms"] - now_ms)
        consumer.commit()


if __name__ == "__main__":
    main(*sys.argv[1:])
