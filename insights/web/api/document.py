"""What does the OpenAPI document say? Made from the operations: schemas from their types, examples that a test runs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from churnwatch import answers
from insights.web.api.operation import Operation
from insights.web.api.problems import KINDS, MEDIA_TYPE

REF = "#/components/schemas/{name}"
ABOUT = """Who slips away, for programs. Times are milliseconds since the epoch; errors are problem details (RFC 9457) that say what to do.

A token goes into `Authorization: Bearer TOKEN`, or is the user name of Basic authentication. docs/api.md has examples by curl and in Python.
"""
ALWAYS = ("unauthenticated", "forbidden", "misdirected", "invalid", "too-many", "internal")
"""Problems that every operation may answer."""
HEADERS = {
    "RateLimit": {"description": "requests that are left, and in how many seconds there are more", "schema": {"type": "string"}},
    "RateLimit-Policy": {"description": "how many requests this token may make", "schema": {"type": "string"}},
}

_TEXT: Mapping[str, Mapping[str, str]] = {"text/csv": {"type": "string"}}
"""Answers that are a string to every tool. A stream of events is not: some tools take each event for an object, others all of it for a string."""


def document(operations: Sequence[Operation], url: str) -> dict[str, Any]:
    """Return the document.

    Parameters
    ----------
    url : str
        Where the paths begin.
    """
    types = [answers.Problem, *(kind for one in operations for kind in (one.asked, one.answers, *one.bodies) if isinstance(kind, type))]
    _, schemas = msgspec.json.schema_components(list(dict.fromkeys(types)), ref_template=REF)
    asked = {one.asked.__name__ for one in operations}
    paths: dict[str, dict[str, Any]] = {}
    for one in operations:
        paths.setdefault(one.path.replace(":text}", "}"), {})[one.method.lower()] = _operation(one, schemas)
    return {
        "openapi": "3.1.0",
        "info": {"title": "churnwatch", "version": "1", "summary": "Live churn engine", "description": ABOUT},
        "servers": [{"url": url}],
        "security": [{"token": []}, {"basic": []}],
        "paths": paths,
        "components": {
            "schemas": {name: schema for name, schema in sorted(schemas.items()) if name not in asked},
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}, "basic": {"type": "http", "scheme": "basic"}},
        },
    }


def _operation(one: Operation, schemas: Mapping[str, Any]) -> dict[str, Any]:
    scope = f"\n\nScope: `{one.scope}`." if one.scope else ""
    said: dict[str, Any] = {
        "operationId": one.name,
        "summary": one.summary,
        "description": " ".join((one.does.__doc__ or "").split()) + scope,
        "parameters": _parameters(one, schemas[one.asked.__name__]),
        "responses": {"200": {"description": one.words, "headers": HEADERS, "content": _content(one)}, **_problems(one)},
    }
    if one.bodies:
        refs = [_ref(kind) for kind in one.bodies]
        body = {"schema": refs[0] if len(refs) == 1 else {"oneOf": refs}, "example": one.example.body}
        said["requestBody"] = {"required": True, "content": {"application/json": body}}
    return said


def _content(one: Operation) -> dict[str, Any]:
    if isinstance(one.answers, type):
        return {"application/json": {"schema": _ref(one.answers), "example": one.example.answer}}
    return {
        media: {"schema": {**_TEXT.get(media, {}), "description": words}, "example": one.example.answer}
        for media, words in one.answers.items()
    }


def _parameters(one: Operation, schema: Mapping[str, Any]) -> list[dict[str, Any]]:
    found = []
    for name, field in schema["properties"].items():
        in_path = f"{{{name}" in one.path
        description = field.get("description", "")
        parameter = {
            "name": name,
            "in": "path" if in_path else "query",
            "required": in_path or name in schema.get("required", ()),
            "description": description,
            "schema": {key: value for key, value in field.items() if key != "description"},
        }
        if name in one.example.asked:
            parameter["example"] = one.example.asked[name]
        found.append(parameter)
    return found


def _problems(one: Operation) -> dict[str, Any]:
    by_status: dict[int, list[str]] = {}
    for name in dict.fromkeys((*ALWAYS, *one.problems)):
        by_status.setdefault(KINDS[name].status, []).append(name)
    return {
        str(status): {
            "description": "; ".join(f"`{name}`: {KINDS[name].title}" for name in names),
            "content": {MEDIA_TYPE: {"schema": _ref(answers.Problem)}},
        }
        for status, names in sorted(by_status.items())
    }


def _ref(kind: type[msgspec.Struct]) -> dict[str, str]:
    return {"$ref": REF.format(name=kind.__name__)}
