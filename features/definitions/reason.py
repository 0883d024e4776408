"""Why a record is not applied, as one number."""

from __future__ import annotations

from enum import IntEnum


class Reason(IntEnum):
    """Why a record is not applied; the number stands in the outcome column, the name in the dead letter."""

    ok = 0
    tombstone = 1
    empty = 2
    too_large = 3
    not_utf8 = 4
    not_json = 5
    not_finite = 6
    too_deep = 7
    missing_field = 8
    wrong_type = 9
    user_empty = 10
    user_too_long = 11
    ts_out_of_range = 12
    future = 13
    unknown_type = 14
    ts_implausible = 15
    user_reserved = 16
    late = 200
    duplicate = 201
    set_aside = 202
    erase = 203
    consent = 204
    erased = 205
