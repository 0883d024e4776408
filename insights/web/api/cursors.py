"""Where does the next page of a list begin? A cursor holds the place of the last row in the order asked for, and the filters that it is of.

It is no secret and nothing rests on it: whoever makes one up begins somewhere else in a list that they may read anyway.
"""

from __future__ import annotations

import base64

import msgspec

from insights.live.listing import Filters, Place
from insights.web.api.problems import Refused, wrong


class _Cursor(msgspec.Struct, array_like=True, frozen=True):
    wanted: tuple[str, ...]
    place: Place


_decoder = msgspec.msgpack.Decoder(_Cursor)
_encoder = msgspec.msgpack.Encoder()


def written(place: Place, wanted: Filters) -> str:
    """Return the cursor behind a row.

    >>> wanted = Filters(definition="churn14")
    >>> read(written(((-0.8,), "ann"), wanted), wanted)
    ((-0.8,), 'ann')
    """
    return base64.urlsafe_b64encode(_encoder.encode(_Cursor(msgspec.structs.astuple(wanted), place))).decode().rstrip("=")


def read(cursor: str, wanted: Filters) -> Place:
    """Return the place that a cursor is behind.

    Raises
    ------
    Refused
        It is none, or is of other filters.
    """
    try:
        found = _decoder.decode(base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True))
    except (ValueError, msgspec.MsgspecError):
        raise _strange() from None
    if found.wanted != msgspec.structs.astuple(wanted):
        raise _strange()
    return found.place


def _strange() -> Refused:
    return wrong("address.cursor", "this is no `next_cursor` of a page with these filters: begin without a cursor")
