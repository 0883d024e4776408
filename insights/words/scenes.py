"""Words of the demo on its pages: what was planted, and whether it is found."""

# ruff: noqa: RUF001 - Chinese has a punctuation of its own
from __future__ import annotations

from insights.words.said import Said

WORDS: dict[str, Said] = {
    "scene.planted": Said("Planted: {what}", "植入的原因：{what}"),
    "scene.found": Said("  found: {first} stands first on the page {page}", "  已找到：{first} 在“{page}”页面上排在首位"),
    "scene.not_found": Said(
        "  not found: the page {page} does not put it first. With so few people it may be chance; let more of them take part",
        "  未找到：“{page}”页面没有把它排在首位。人数太少时可能只是偶然，可增加参与人数",
    ),
    "scene.found.all": Said("The pages found {found} of {planted} planted causes.", "页面找到了 {planted} 个植入原因中的 {found} 个。"),
}
