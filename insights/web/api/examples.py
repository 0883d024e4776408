"""The examples of the OpenAPI document: what the requests beside them are answered, by an app in which ann has gone silent. A test runs each of them."""

from __future__ import annotations

from typing import Any

from insights.web.api.operation import Example

ANN: dict[str, Any] = {
    "user": "ann",
    "definition": "churn14",
    "known": True,
    "at_risk": True,
    "alert_id": "2feeeca0dac28c561f3df4a0fe783691",
    "risk": 0.8,
    "threshold": 0.7,
    "valid_until_ms": 1_774_840_400_000,
    "as_of_ms": 1_773_800_000_000,
    "counted_until_ms": 1_773_803_600_000,
    "model_version": 7,
    "reasons": [],
    "reason_codes": [],
}
NOBODY: dict[str, Any] = {
    **ANN,
    "user": "nobody",
    "known": False,
    "at_risk": False,
    "alert_id": None,
    "risk": None,
    "valid_until_ms": None,
    "model_version": None,
    "reasons": [],
    "reason_codes": [],
}
RISK = Example(asked={"user": "ann", "definition": "churn14"}, answer=ANN)
RISKS = Example(asked={}, body={"users": ["ann", "nobody"], "definition": "churn14"}, answer={"risks": [ANN, NOBODY]})
BATCH = Example(
    asked={},
    body={
        "events": [
            {"user": "ann", "ts": 1_773_803_000_000, "type": "purchase", "value": 9.5, "event_id": "order-77"},
            {"user": "ann", "ts": "yesterday", "type": "click"},
        ]
    },
    answer={
        "accepted": 1,
        "rejected": 1,
        "events": [
            {"status": "accepted", "event_id": "order-77"},
            {"status": "rejected", "reason": "wrong_type", "field": "ts", "says": "a field is not of its type"},
        ],
    },
)
DATA = Example(
    asked={},
    answer={
        "as_of_ms": 1_773_800_000_000,
        "newest_ms": 1_773_803_660_000,
        "answered_ms": 1_773_803_700_000,
        "reached": True,
        "partitions": 2,
        "followed": 2,
        "outcomes": {"ok": 7, "late": 2},
    },
)
