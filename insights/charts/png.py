"""How does a chart become a picture for a mail or a file? The same drawing, its colours resolved, drawn by resvg on an opaque ground.

resvg picks any font for a sign that the named one lacks, such as a serif one for Chinese. So it is given only the fonts that we name, and a text
with Chinese in it names the Chinese one. Drawing takes some tens of milliseconds of a core: call it in a thread, never in an event loop.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Sequence
from functools import cache
from pathlib import Path
from typing import NamedTuple

import resvg_py

from insights.charts.colours import COLOURS, Theme, resolve
from insights.charts.svg import FONT

FOLDERS = (
    "/usr/share/fonts", "/usr/local/share/fonts", "~/.local/share/fonts", "~/.fonts", "/System/Library/Fonts", "/Library/Fonts", "C:/Windows/Fonts",
)  # fmt: skip
"""Where systems keep their fonts."""
_CHINESE = re.compile("[\u2e80-\u9fff\uac00-\ud7af\uf900-\ufaff\uff00-\uffef\U00020000-\U0003ffff]")
_TEXT = re.compile(r"<text ([^>]*>[^<]*</text>)")


class NoFont(RuntimeError):
    """No font on this machine can write the picture."""


class Font(NamedTuple):
    """A family, and the names of its files: one for usual text, one for strong text where there is one."""

    family: str
    files: tuple[str, ...]


LATIN = (
    Font("Inter", ("Inter-Regular.otf", "Inter-SemiBold.otf")),
    Font("Inter", ("Inter-Regular.ttf", "Inter-SemiBold.ttf")),
    Font("Segoe UI", ("segoeui.ttf", "seguisb.ttf")),
    Font("Liberation Sans", ("LiberationSans-Regular.ttf", "LiberationSans-Bold.ttf")),
    Font("DejaVu Sans", ("DejaVuSans.ttf", "DejaVuSans-Bold.ttf")),
    Font("Noto Sans", ("NotoSans-Regular.ttf", "NotoSans-Bold.ttf")),
    Font("Helvetica Neue", ("HelveticaNeue.ttc",)),
)
"""Fonts for Latin text, the best first."""
CHINESE = (
    Font("Noto Sans CJK SC", ("NotoSansCJK-Regular.ttc", "NotoSansCJK-Bold.ttc")),
    Font("Noto Sans CJK SC", ("NotoSansCJKsc-Regular.otf", "NotoSansCJKsc-Bold.otf")),
    Font("Noto Sans SC", ("NotoSansSC-Regular.otf", "NotoSansSC-Bold.otf")),
    Font("Source Han Sans SC", ("SourceHanSansSC-Regular.otf", "SourceHanSansSC-Bold.otf")),
    Font("PingFang SC", ("PingFang.ttc",)),
    Font("Microsoft YaHei", ("msyh.ttc", "msyhbd.ttc")),
    Font("WenQuanYi Micro Hei", ("wqy-microhei.ttc",)),
    Font("WenQuanYi Zen Hei", ("wqy-zenhei.ttc",)),
)
"""Fonts for Chinese, the best first. They have Latin letters, too."""


def png(svg: str, theme: Theme, *, zoom: float = 2, folders: Sequence[str] = FOLDERS) -> bytes:
    """Return a chart as a PNG.

    Parameters
    ----------
    svg : str
        A chart of this package.
    theme : {"light", "dark"}
    zoom : float
        Pixels of the picture for one of the drawing.
    folders : sequence of str
        Where to look for fonts, with all folders in them.

    Raises
    ------
    NoFont
        If no font can write its texts, with what to install.
    """
    there = _files(tuple(folders))
    latin, chinese = _first(LATIN, there), _first(CHINESE, there)
    if _CHINESE.search(svg) and chinese is None:
        raise NoFont(
            "no font on this machine writes Chinese: install one, such as the package fonts-noto-cjk of Debian, or ask for the SVG"
        )
    usual = latin or chinese
    if usual is None:
        raise NoFont(
            "there is no font on this machine that we know: install one, such as the package fonts-inter of Debian, or ask for the SVG"
        )
    named = resolve(svg, theme).replace(f'font-family="{FONT}"', f'font-family="{usual.family}"')
    if chinese is not None:
        named = _TEXT.sub(lambda found: _in_font(found[1], chinese.family), named)
    return resvg_py.svg_to_bytes(
        svg_string=named,
        background=getattr(COLOURS["surface"], theme),
        skip_system_fonts=True,
        font_files=[there[name] for font in (latin, chinese) if font is not None for name in font.files if name in there],
        font_family=usual.family,
        zoom=zoom,
    )


def _in_font(text: str, family: str) -> str:
    return f'<text font-family="{family}" {text}' if _CHINESE.search(text) else f"<text {text}"


@cache
def _files(folders: tuple[str, ...]) -> dict[str, str]:
    """Return the paths of the fonts that we know, by the name of the file."""
    wanted = {name for font in (*LATIN, *CHINESE) for name in font.files}
    found: dict[str, str] = {}
    for folder in folders:
        for inside, _, names in os.walk(Path(folder).expanduser()):
            for name in sorted(wanted.intersection(names)):
                found.setdefault(name, str(Path(inside) / name))
    return found


def _first(fonts: Iterable[Font], there: dict[str, str]) -> Font | None:
    """Return the first font whose usual text is there."""
    return next((font for font in fonts if font.files[0] in there), None)
