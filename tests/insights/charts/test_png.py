"""A picture is the same drawing on an opaque ground, in fonts that we name."""

from __future__ import annotations

import struct
import zlib
from datetime import UTC
from pathlib import Path

import pytest

from insights.charts.colours import COLOURS, Theme
from insights.charts.lines import lines
from insights.charts.png import CHINESE, LATIN, NoFont, png
from insights.charts.scale import Axis
from insights.charts.series import Series
from insights.charts.svg import Size
from insights.words import words
from stream.faults import ServerMissing
from tests.conftest import missing

NOW = 1_795_766_400_000


def chart(name: str = "open") -> str:
    return lines(
        Size(300, 140), Axis(words("en")), UTC, [NOW, NOW + 1], [Series(name, [1, 2]), Series("b", [2, 1], "c1")], title="t", desc="d"
    )


def pixels(picture: bytes) -> tuple[int, int, set[bytes]]:
    """Width, height and the first row's pixels of a PNG of 8 bits a channel, RGBA."""
    assert picture[:8] == b"\x89PNG\r\n\x1a\n"
    wide, high, bits, kind = struct.unpack(">IIBB", picture[16:26])
    assert (bits, kind) == (8, 6)
    at, data = 8, b""
    while at < len(picture):
        (size,) = struct.unpack(">I", picture[at : at + 4])
        if picture[at + 4 : at + 8] == b"IDAT":
            data += picture[at + 8 : at + 8 + size]
        at += size + 12
    raw = zlib.decompress(data)
    row = undone(raw[0], raw[1 : 1 + 4 * wide])
    return wide, high, {row[place : place + 4] for place in range(0, len(row), 4)}


def undone(filtered: int, row: bytes) -> bytes:
    """The first row without its filter: 1 adds the pixel before; above the first row is nothing."""
    out = bytearray(row)
    for place in range(4, len(row)):
        if filtered in {1, 4}:
            out[place] = (out[place] + out[place - 4]) % 256
        elif filtered == 3:
            out[place] = (out[place] + out[place - 4] // 2) % 256
    return bytes(out)


@pytest.fixture(autouse=True)
def a_font() -> None:
    """A picture of Latin text needs one font at least."""
    try:
        png(chart(), "light", zoom=0.1)
    except NoFont as error:
        missing(ServerMissing(str(error)))


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_ground_is_opaque_and_the_size_is_that_of_the_drawing(theme: Theme) -> None:
    wide, high, first = pixels(png(chart(), theme))
    assert (wide, high) == (600, 280)
    assert first == {bytes.fromhex(getattr(COLOURS["surface"], theme)[1:]) + b"\xff"}


def test_without_a_chinese_font_chinese_is_refused_and_says_what_to_install(tmp_path: Path) -> None:
    latin = next((file for font in LATIN for file in Path("/usr/share/fonts").rglob(font.files[0])), None)
    if latin is None:
        missing(ServerMissing("no Latin font on this machine: install one, such as the package fonts-inter"))
    (tmp_path / latin.name).symlink_to(latin)
    assert png(chart(), "light", folders=(str(tmp_path),))
    with pytest.raises(NoFont, match="fonts-noto-cjk"):
        png(chart("社交媒体"), "light", folders=(str(tmp_path),))


def test_without_any_font_a_picture_is_refused(tmp_path: Path) -> None:
    with pytest.raises(NoFont, match="fonts-inter"):
        png(chart(), "light", folders=(str(tmp_path),))


def test_chinese_is_drawn_in_the_chinese_font_that_we_name() -> None:
    if not any(list(Path("/usr/share/fonts").rglob(font.files[0])) for font in CHINESE):
        missing(ServerMissing("no Chinese font on this machine: install one, such as the package fonts-noto-cjk"))
    assert png(chart("社交媒体"), "light") != png(chart("电子邮件"), "light")
    assert png(chart("社交媒体"), "light") != png(chart("\ue000"), "light")
