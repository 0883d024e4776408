"""What an engine said of people, by chance: risks and outcomes at landmarks, some of them twice, and the same as plain dictionaries."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from typing import Any

import polars as pl

START = datetime(2024, 3, 1, 12, tzinfo=UTC)
Mark = tuple[str, datetime]


class Judged:
    """Made-up rows of `scores`, `outcomes` and `alerts` of two definitions, and what holds of the first, `churn14`."""

    def __init__(self, seed: int, users: list[str], days: int = 30) -> None:
        chance = random.Random(seed)
        self.risk: dict[Mark, float] = {}
        self.label: dict[Mark, int] = {}
        self.alerts: list[dict[str, Any]] = []
        scores, outcomes = [], []
        for user in users:
            for day in sorted(chance.sample(range(days), chance.randrange(0, 6))):
                mark = START + timedelta(days=day)
                for definition in ("churn14", "churn14", "other")[chance.randrange(2) :]:
                    lineage = f"{9 if chance.random() < 0.5 else 10}" if scores and scores[-1]["landmark"] == mark else "9"
                    who = {"user": user, "definition": definition, "landmark": mark, "lineage": lineage, "shard": 0}
                    number, risk, label = len(scores), round(chance.random(), 3), chance.randrange(2)
                    scores.append({**who, "risk": risk, "matured": mark + timedelta(days=15), "number": number})
                    known = mark + timedelta(days=15 + chance.randrange(3))
                    if chance.random() < 0.6:
                        outcomes.append({**who, "label": label, "matured": known, "number": number, "source": "engine"})
                    if chance.random() < 0.5:
                        codes = chance.sample(["silence", "errors", "weekend"], chance.randrange(1, 4))
                        n = len(self.alerts)
                        alert = {
                            "alert_id": f"{n:032x}",
                            "type": chance.choice(["opened", "opened", "resolved"]),
                            "event_time": mark,
                            "reason_codes": codes,
                        }
                        self.alerts.append({**who, **alert, "part": 0, "off": n, "day": mark.date()})
        self.frames = {"scores": pl.DataFrame(scores), "outcomes": pl.DataFrame(outcomes), "alerts": pl.DataFrame(self.alerts)}
        for row in sorted(scores, key=lambda one: (int(one["lineage"]), one["number"])):
            if row["definition"] == "churn14":
                self.risk.setdefault((row["user"], row["landmark"]), row["risk"])
        for row in sorted(outcomes, key=lambda one: (one["matured"], int(one["lineage"]), one["number"])):
            if row["definition"] == "churn14":
                self.label[row["user"], row["landmark"]] = row["label"]
