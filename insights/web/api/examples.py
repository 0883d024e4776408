"""The examples of the OpenAPI document: what the requests beside them are answered, by an app in which ann has gone silent and a colleague has made a board. A test runs each of them."""

from __future__ import annotations

from typing import Any

from insights.web.api.operation import Example

WHY = ["No activity for 9.8 days; usually back within 23 hours", "Active on 3 of the last 28 days; usually on 12"]
CODES = [
    {"code": "silence", "now": 846_700.0, "usual": 82_800.0, "unit": "seconds"},
    {"code": "active_days_28", "now": 3.0, "usual": 12.0, "unit": "days"},
]
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
    "reasons": WHY,
    "reason_codes": CODES,
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
PERSON: dict[str, Any] = {
    "user": "ann",
    "definition": "churn14",
    "alert_id": "2feeeca0dac28c561f3df4a0fe783691",
    "risk": 0.8,
    "band": "high",
    "channel": "none",
    "worth": 0.0,
    "value": 0.0,
    "last_active_ms": 1_773_544_400_000,
    "opened_ms": 1_773_630_800_000,
    "valid_until_ms": 1_774_840_400_000,
    "reasons": WHY,
    "reason_codes": CODES,
}
AT_RISK = Example(
    asked={"definition": "churn14", "band": "high", "sort": "value", "limit": 50},
    answer={"as_of_ms": 1_773_800_000_000, "total": 1, "people": [PERSON], "next_cursor": None},
)
AT_RISK_CSV = Example(
    asked={"definition": "churn14", "band": "high"},
    answer="\ufeffperson,definition,channel,risk,band,spend_in_90_days,value_at_risk,reasons,last_active,flagged,valid_until,alert_id\r\n"
    'ann,churn14,none,0.8,high,0.0,0.0,"No activity for 9.8 days; usually back within 23 hours. Active on 3 of the last 28 days; usually on 12",'
    "2026-03-15T03:13:20Z,2026-03-16T03:13:20Z,2026-03-30T03:13:20Z,2feeeca0dac28c561f3df4a0fe783691\r\n",
)
SUMS = Example(
    asked={"definition": "churn14"},
    answer={
        "as_of_ms": 1_773_800_000_000,
        "people": 1,
        "leaving": 0.8,
        "plus_minus": 0.784,
        "value": 0.0,
        "spenders": 0,
        "judged": 1,
        "bands": {"critical": 0, "high": 1, "elevated": 0, "low": 0},
        "reasons": {"silence": 1, "active days": 1},
    },
)
STREAM = Example(asked={}, answer='retry: 3000\n\nevent: changed\ndata: {"version":"2-3"}\n\n')
MODEL = Example(
    asked={},
    answer={
        "as_of_ms": 1_773_800_000_000,
        "definitions": [
            {"definition": "churn14", "model": "cadence", "version": 0, "learned_until_ms": None, "labels": 0, "churned": 0},
            {"definition": "churn7", "model": "cadence", "version": 0, "learned_until_ms": None, "labels": 0, "churned": 0},
        ],
    },
)
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
        "unreadable": [],
        "outcomes": {"ok": 7, "late": 2},
    },
)
_MADE: dict[str, Any] = {
    "revision": 1,
    "made_by": "grace",
    "made_ms": 1_773_803_700_000,
    "changed_by": "grace",
    "changed_ms": 1_773_803_700_000,
}
_BOARD: dict[str, Any] = {"name": "monday", "title": "Every Monday", **_MADE, "questions": ["back"]}
_QUESTION: dict[str, Any] = {
    "name": "back",
    "title": "Back after a week",
    **_MADE,
    "analysis": "retention",
    "parameters": {"unit": "week", "segment": "payers"},
    "shown": "number",
    "cell": {
        "metric": "overall",
        "cohort": None,
        "k": 1,
        "group": None,
        "source": None,
        "target": None,
        "path": None,
        "feature": None,
        "reason": None,
        "event": None,
        "tenure": None,
        "frequency": None,
    },
}
_RULE: dict[str, Any] = {"name": "payers", "title": "Who paid", **_MADE, "rule": ["purchases >= 1"], "size": None, "users": None}
_LIST: dict[str, Any] = {"name": "march", "title": "Back in March", **_MADE, "rule": [], "size": 2, "users": None}
BOARDS = Example(asked={}, answer={"boards": [_BOARD]})
BOARD = Example(asked={"name": "monday"}, answer=_BOARD)
QUESTIONS = Example(asked={}, answer={"questions": [_QUESTION]})
QUESTION = Example(asked={"name": "back"}, answer=_QUESTION)
SEGMENTS = Example(asked={}, answer={"segments": [_LIST, _RULE]})
SEGMENT = Example(asked={"name": "march", "users": "true"}, answer={**_LIST, "users": ["ann", "bob"]})
