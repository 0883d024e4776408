"""What is said of a guess: what was taken, from what, and how to take something else."""

from __future__ import annotations

from collections.abc import Container, Sequence
from html import escape
from typing import NamedTuple

from insights.explore.guess import MONEY, Guess
from insights.words import Words
from stream.shown import visible


class Ground(NamedTuple):
    """One thing that was taken for granted, in one language."""

    what: str
    taken: str
    because: str
    option: str


def grounds_of(found: Guess, zone: str, given: Container[str], w: Words) -> list[Ground]:
    """Return a row for each thing that was taken.

    Parameters
    ----------
    zone : str
        IANA zone of days and hours.
    given : container of str
        Fields of the guess, or "zone", that somebody has said.
    """
    none = w.t("suggested.none")
    rows = {
        "horizon_days": (w.t("suggested.gone"), w.t("suggested.gone.is", n=found.horizon_days), _silence(found, w), "--horizon 30d"),
        "key_events": (
            w.t("suggested.types"), ", ".join(found.key_events) or none, w.t("suggested.types.why", shares=", ".join(map(w.percent, found.reach))),
            "--key-events a,b",
        ),
        "revenue": (w.t("suggested.money"), ", ".join(found.revenue) or none, w.t("suggested.money.why", share=w.percent(MONEY)), "--revenue a,b"),
        "funnel": (w.t("suggested.funnel"), " > ".join(found.funnel) or none, w.t("suggested.funnel.money" if found.leads_to_money else "suggested.funnel.why"), "--funnel a,b,c"),
        "zone": (w.t("suggested.zone"), zone, w.t("suggested.zone.why"), "--tz Europe/Berlin"),
    }  # fmt: skip
    return [
        Ground(what, taken, w.t("suggested.told") if name in given else because, option)
        for name, (what, taken, because, option) in rows.items()
    ]


def first_of(grounds: Sequence[Ground], w: Words) -> str:
    """Return what stands first in a report: the same rows, as HTML."""
    heads = "".join(f"<th scope='col'>{escape(name)}</th>" for name in (w.t("Taken for granted"), "", w.t("because"), w.t("otherwise say")))
    rows = "".join(
        f"<tr><th scope='row'>{escape(one.what)}</th><td>{escape(visible(one.taken))}</td><td>{escape(one.because)}</td><td><code>{escape(one.option)}</code></td></tr>"
        for one in grounds
    )
    return f"<div class='head'><h1>{escape(w.t('suggested.title'))}</h1></div><section class='card'><table><thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table></section>"


def _silence(found: Guess, w: Words) -> str:
    if not found.silences:
        return w.t("suggested.gone.short")
    return w.t(
        "suggested.gone.why", silences=w.number(found.silences), returned=w.number(found.returned), share=w.percent(found.returned / found.silences),
        n=found.followed_days,
    )  # fmt: skip
