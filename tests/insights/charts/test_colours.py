"""Colours are readable on every ground they stand on, and told apart by eyes of every kind."""

from __future__ import annotations

import re
from itertools import combinations, pairwise

import pytest

from insights.charts.colours import BANDS, COLOURS, STEPS, UNORDERED, Theme, css, heat, resolve, values
from insights.charts.eyes import Eyes, contrast, distance, luminance, oklab, readable_on

THEMES: tuple[Theme, ...] = ("light", "dark")
EYES: tuple[Eyes, ...] = ("normal", "protan", "deutan", "tritan")
GROUNDS = ("bg", "surface", "sunken")
TEXTS = {"ink": 7.0, "ink2": 4.5, "ink3": 4.5, "accent": 4.5, "good": 4.5, "bad": 4.5, "warn": 4.5}
"""Least contrast of each text colour (WCAG 2 AA is 4.5)."""
MARKS = (*BANDS, *UNORDERED, "silence", "node")
PAIRS = [("good", "good_soft"), ("bad", "bad_soft"), ("warn", "warn_soft"), ("on_accent", "accent"), ("accent", "accent_soft")]


def too_faint(texts: dict[str, str], grounds: dict[str, str], least: float) -> set[str]:
    """Names of colours that are too faint on one of the grounds."""
    return {name for name, colour in texts.items() for ground in grounds.values() if contrast(colour, ground) < least}


def too_near(colours: dict[str, str], least: float) -> set[tuple[str, str, str]]:
    """Pairs that eyes of some kind do not tell apart."""
    return {
        (one, other, eyes)
        for one, other in combinations(colours, 2)
        for eyes in EYES
        if distance(colours[one], colours[other], eyes) < least
    }


@pytest.mark.parametrize("theme", THEMES)
def test_text_is_readable_on_every_ground(theme: Theme) -> None:
    named = values(theme)
    grounds = {name: named[name] for name in GROUNDS}
    for name, least in TEXTS.items():
        assert not too_faint({name: named[name]}, grounds, least)


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize(("text", "ground"), PAIRS)
def test_text_is_readable_on_the_ground_it_is_made_for(theme: Theme, text: str, ground: str) -> None:
    assert contrast(values(theme)[text], values(theme)[ground]) >= 4.5


@pytest.mark.parametrize("theme", THEMES)
def test_marks_stand_out_from_page_and_card(theme: Theme) -> None:
    named = values(theme)
    assert not too_faint({name: named[name] for name in MARKS}, {name: named[name] for name in ("bg", "surface")}, 3.0)


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("group", [BANDS[:3], UNORDERED, ("silence", "node")])
def test_colours_of_one_chart_are_told_apart_by_all_eyes(theme: Theme, group: tuple[str, ...]) -> None:
    assert not too_near({name: values(theme)[name] for name in group}, 8.0)


def test_bands_are_ordered_by_lightness_too() -> None:
    for theme in THEMES:
        light = [luminance(values(theme)[name]) for name in BANDS[:3]]
        assert light == sorted(light)


def test_what_is_too_faint_or_too_near_is_seen() -> None:
    assert too_faint({"pale": "#cccccc"}, {"surface": "#ffffff"}, 3.0) == {"pale"}
    assert ("red", "green", "deutan") in too_near({"red": "#b3261e", "green": "#0f7a4b"}, 8.0)


@pytest.mark.parametrize("theme", THEMES)
def test_text_is_readable_on_each_step_of_the_heat_scale(theme: Theme) -> None:
    for step in range(STEPS + 1):
        assert contrast(values(theme)[f"h{step}"], values(theme)[f"hi{step}"]) >= 4.5


@pytest.mark.parametrize("theme", THEMES)
def test_heat_rises_in_even_steps(theme: Theme) -> None:
    lightness = [oklab(heat(theme, step / STEPS)).lightness for step in range(STEPS + 1)]
    steps = [after - before for before, after in pairwise(lightness)]
    assert all(step < 0 for step in steps) if theme == "light" else all(step > 0 for step in steps)
    for half in (steps[: STEPS // 2], steps[STEPS // 2 :]):
        assert max(half) - min(half) < 0.01


def test_black_on_white_and_the_same_twice() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert distance("#336699", "#336699") == 0
    assert readable_on("#ffffff") == "#000000"


def test_the_style_sheet_holds_every_colour_for_each_way_to_choose_a_theme() -> None:
    text = css()
    blocks = re.findall(r"(:root[^{]*)\{([^}]*)\}", text)
    assert [where for where, _ in blocks] == [":root", ":root:not([data-theme=light])", ":root[data-theme=dark]"]
    for _, block in blocks:
        assert {name for name, _ in re.findall(r"--(\w+):(#[0-9a-f]{6})", block)} == set(values("light"))


def test_a_drawing_without_custom_properties_keeps_what_strangers_write() -> None:
    drawn = resolve('<text fill="var(--ink)">fill=&quot;var(--bad)&quot; var(--nothing)</text>', "light")
    assert drawn == f'<text fill="{COLOURS["ink"].light}">fill=&quot;var(--bad)&quot; var(--nothing)</text>'
    with pytest.raises(KeyError):
        resolve('<text fill="var(--nothing)"/>', "light")
