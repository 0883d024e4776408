"""How is a body read? Within a bound of bytes, packed by gzip or not, and as JSON of one type. How long it may take is for `insights.web.connections`."""

from __future__ import annotations

import zlib
from typing import TypeVar

import msgspec
from starlette.requests import ClientDisconnect, Request

from insights.web.api.problems import Refused, wrong

T = TypeVar("T")
UNREADABLE = ("not-json", "too-large", "encoding")
"""Kinds of problems that an operation with a body may answer."""
_GZIP = 31
"""What zlib calls a gzip header and its checksum."""


async def body_of(request: Request, most: int) -> bytes:
    """Return the body, unpacked.

    Parameters
    ----------
    most : int
        Most bytes, packed and unpacked alike: of a body that would unpack to more, not more than that is ever unpacked.

    Raises
    ------
    Refused
        It is larger, is packed by something else or is torn.
    """
    encoding = request.headers.get("content-encoding", "identity").strip().lower()
    if encoding not in {"identity", "gzip"}:
        raise Refused("encoding", f"Content-Encoding is {encoding!r}: send the body plain, or packed by gzip")
    try:
        return await _unpacked(request, most) if encoding == "gzip" else await _plain(request, most)
    except ClientDisconnect:
        raise Refused("not-json", "the body did not come to its end") from None  # nobody reads this


def too_large(most: int) -> Refused:
    """Return what a body beyond the bound is answered by."""
    return Refused("too-large", f"a body may have {most:,} bytes, unpacked: send it in several parts")


def read_as(body: bytes, decoder: msgspec.json.Decoder[T]) -> T:
    """Decode a body.

    Raises
    ------
    Refused
        It is no JSON, or is not of the type.
    """
    try:
        return decoder.decode(body)
    except msgspec.ValidationError as error:
        says, _, where = str(error).partition(" - at `$")
        where = "body" + where.rstrip("`").replace("[...]", "[]")
        raise wrong(where, says) from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Refused("not-json", f"the body must be JSON in UTF-8: {error}") from None


async def _plain(request: Request, most: int) -> bytes:
    body = bytearray()
    async for part in request.stream():
        body += part
        if len(body) > most:
            raise too_large(most)
    return bytes(body)


async def _unpacked(request: Request, most: int) -> bytes:
    body, packed, unpacking = bytearray(), 0, zlib.decompressobj(_GZIP)
    async for part in request.stream():
        packed += len(part)
        try:
            body += unpacking.decompress(part, most + 1 - len(body))
        except zlib.error:
            raise _torn() from None
        if len(body) > most or packed > most:
            raise too_large(most)
        if unpacking.unused_data:
            break
    if not unpacking.eof or unpacking.unused_data:
        raise _torn()
    return bytes(body)


def _torn() -> Refused:
    return Refused("not-json", "Content-Encoding says gzip, but the body is not one whole gzip stream")
