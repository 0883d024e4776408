"""The text of a file as blocks of UTF-8, whatever its bytes are packed or encoded in.

    bytes -> gzip or zstd is unpacked (known by its first bytes, not by its name) -> UTF-16 and others become UTF-8 -> blocks

A file that is cut off or damaged gives the text before that place, and `Blocks.damage` says how it breaks off.
"""

from __future__ import annotations

import codecs
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, BinaryIO

import zstandard

from features.files.faults import FileRefused

BLOCK_BYTES = 16 << 20
_PIECE = 1 << 16
_GZIP, _ZSTD, _PARQUET = b"\x1f\x8b", b"\x28\xb5\x2f\xfd", b"PAR1"
FOREIGN = {
    b"PK\x03\x04": "a zip archive or an Excel file: unpack it, or save the sheet as CSV",
    b"BZh": "packed with bzip2: unpack it first, or pack it with gzip or zstd",
    b"\xfd7zXZ": "packed with xz: unpack it first, or pack it with gzip or zstd",
    b"Obj\x01": "an Avro file: write it as Parquet or JSONL",
    b"ORC": "an ORC file: write it as Parquet or CSV",
    b"SQLite format 3": "a SQLite database: export the table as CSV",
    b"%PDF": "a PDF",
    b"\xd0\xcf\x11\xe0": "an old Excel file: save the sheet as CSV",
    b"ARROW1": "a Feather file: write it as Parquet or CSV",
    b"FEA1": "a Feather file: write it as Parquet or CSV",
    b"PARE": "an encrypted Parquet file: write it without encryption",
    b"\x89HDF": "an HDF5 file: write it as Parquet or CSV",
    b"7z\xbc\xaf": "a 7z archive: unpack it first",
    b"Rar!": "a RAR archive: unpack it first",
    b"\x04\x22\x4d\x18": "packed with lz4: unpack it first, or pack it with gzip or zstd",
    b"\x89PNG": "a picture",
}
"""Files of kinds that are not read, by their first bytes: what they are, and what to do with them."""
_MARKUP = {
    b"<!doctype html": "a web page, perhaps one that asks to sign in: download the export again",
    b"<html": "a web page, perhaps one that asks to sign in: download the export again",
    b"<?xml": "XML: write it as CSV or JSONL",
}
_MARKS = {codecs.BOM_UTF8: "utf-8", codecs.BOM_UTF32_LE: "utf-32", codecs.BOM_UTF32_BE: "utf-32", codecs.BOM_UTF16_LE: "utf-16", codecs.BOM_UTF16_BE: "utf-16"}  # fmt: skip


def foreign(head: bytes) -> str:
    """Return what kind of file begins like this, and what to do with it; empty for a file that may hold events.

    >>> foreign(b"%PDF-1.7"), foreign(b"user,ts,type")
    ('a PDF', '')
    """
    if head[257:262] == b"ustar":
        return "a tar archive: unpack it first"
    text = head[:1000].removeprefix(codecs.BOM_UTF8).lstrip().lower()
    return next(
        (what for magic, what in FOREIGN.items() if head.startswith(magic)),
        next((what for begin, what in _MARKUP.items() if text.startswith(begin)), ""),
    )


def is_text_encoding(name: str) -> bool:
    """Whether a codec of this name encodes text. Some, such as hex and zlib, encode bytes.

    >>> is_text_encoding("cp1252"), is_text_encoding("hex"), is_text_encoding("unknown")
    (True, False, False)
    """
    try:
        " ".encode(name)
    except (LookupError, UnicodeError):
        return False
    return True


def utf16_ending(head: bytes) -> str:
    r"""Return le or be if text looks like UTF-16 of that byte order, else "". Most text in UTF-16 has a zero in every second byte.

    >>> utf16_ending("user".encode("utf-16-le")), utf16_ending(b"user"), utf16_ending(b"\0\0\0\0")
    ('le', '', '')
    """
    even, odd = (half.count(0) / max(len(half), 1) for half in (head[:200:2], head[1:200:2]))
    if odd > 0.5 and even < 0.25:
        return "le"
    return "be" if even > 0.5 and odd < 0.25 else ""


@dataclass(slots=True)
class Blocks:
    """The text of a file as an iterator of UTF-8 blocks.

    Attributes
    ----------
    stream : binary file
        Its position says how far the file has been read.
    encoding : str
        The encoding asked for. If empty, it is the one that the mark at the beginning of the file says, else UTF-8.
    damage : str
        How the file breaks off; empty if it does not. It is set when the last block has been given.
    head : bytes
        The first bytes of the file, unpacked but not decoded.

    Raises
    ------
    FileRefused
        If the file is of a kind that is not read.
    """

    stream: BinaryIO
    encoding: str = ""
    damage: str = ""
    head: bytes = b""
    is_parquet: bool = False
    decoded_as: str = "utf-8"
    _pieces: Iterator[bytes] = field(default_factory=lambda: iter(()))

    def __post_init__(self) -> None:
        first = self.stream.read(_PIECE)
        self.is_parquet = first[:4] == _PARQUET
        unpackers: dict[bytes, Callable[[], Any]] = {
            _GZIP: lambda: zlib.decompressobj(31),
            _ZSTD: lambda: zstandard.ZstdDecompressor().decompressobj(),
        }
        unpacker = next((make for magic, make in unpackers.items() if first.startswith(magic)), None)
        raw = self._raw(first)
        self._pieces = raw if unpacker is None else self._unpacked(raw, unpacker)
        self.head = next(self._pieces, b"")
        if not self.head and self.damage:
            raise FileRefused(self.damage, "damaged")
        if self.head[:4] == _PARQUET and unpacker is not None:
            raise FileRefused("a Parquet file packed once more: unpack it first")
        what = foreign(self.head)
        if what:
            raise FileRefused(f"this is {what}")

    def _raw(self, first: bytes) -> Iterator[bytes]:
        yield first
        while piece := self.stream.read(_PIECE):
            yield piece

    def _unpacked(self, raw: Iterator[bytes], make: Callable[[], Any]) -> Iterator[bytes]:
        """Unpack a stream; one packed file may hold several members, one after the other."""
        unpacker, rest, fed = make(), b"", False
        try:
            for piece in raw:
                rest = piece
                while rest:
                    out = unpacker.decompress(rest)
                    fed, rest = True, b""
                    if out:
                        yield out
                    if unpacker.eof:
                        rest, fed = unpacker.unused_data.lstrip(b"\0"), False
                        unpacker = make()
        except (zlib.error, zstandard.ZstdError) as error:
            self.damage = f"the packed data are damaged ({error})"
            return
        if fed:
            self.damage = "the packed data are cut off"

    def __iter__(self) -> Iterator[bytes]:
        """Yield blocks of at least `BLOCK_BYTES`; only the last may be shorter.

        Raises
        ------
        FileRefused
            If the text is not in the encoding that it should be in.
        """
        mark, name = next(((mark, name) for mark, name in _MARKS.items() if self.head.startswith(mark)), (b"", ""))
        self.decoded_as = self.encoding or name or "utf-8"
        if not is_text_encoding(self.decoded_as):
            raise FileRefused(f"--encoding: no encoding is called {self.decoded_as!r}; try utf-16, latin-1 or cp1252")
        if codecs.lookup(self.decoded_as).name in {"utf-8", "utf-8-sig"}:
            ending = "" if mark else utf16_ending(self.head)
            if ending:
                raise FileRefused(f"this looks like UTF-16 without a mark: say --encoding utf-16-{ending}", "not_utf8")
            yield from self._joined(self._after(len(mark)))
        else:
            yield from self._joined(self._recoded())

    def _after(self, skipped: int) -> Iterator[bytes]:
        yield self.head[skipped:]
        yield from self._pieces

    def _recoded(self) -> Iterator[bytes]:
        decoder = codecs.getincrementaldecoder(self.decoded_as)()
        try:
            for piece in self._after(0):
                yield decoder.decode(piece).encode()
            yield decoder.decode(b"", final=True).encode()
        except UnicodeError as error:
            if getattr(error, "reason", "") in {"truncated data", "unexpected end of data"}:
                self.damage = self.damage or f"the text is cut off within a character of {self.decoded_as}"
                return
            raise FileRefused(f"the text is not {self.decoded_as} ({error}): say --encoding with the right one", "not_utf8") from None

    @staticmethod
    def _joined(pieces: Iterator[bytes]) -> Iterator[bytes]:
        waiting: list[bytes] = []
        size = 0
        for piece in pieces:
            waiting.append(piece)
            size += len(piece)
            if size >= BLOCK_BYTES:
                yield b"".join(waiting)
                waiting, size = [], 0
        if size:
            yield b"".join(waiting)
