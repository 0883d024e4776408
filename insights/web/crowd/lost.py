"""Where are people lost? The steps of the funnel at which most stop, and what stands before a silence more often than before a return."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from insights.web.crowd.behind import Behind
from insights.web.crowd.found import Found, Row
from insights.words import Words
from stream.shown import visible

ARROW = " > "
"""Between the nodes of a path, as `paths_into_silence` writes it."""


class Lost(NamedTuple):
    """One place: its nodes in order, what is said of it, and where its people are."""

    nodes: list[str]
    said: str
    about: str
    href: str


def stops(found: Found, asked: Mapping[str, object], w: Words, behind: Behind, most: int) -> list[Lost]:
    """Return the steps of a funnel at which most people stopped, the largest first."""
    rows = sorted((row for row in found.of("stopped", group=None) if row["value"]), key=lambda row: -row["value"])[:most]
    return [_stop(found, asked, row, w, behind) for row in rows]


def _stop(found: Found, asked: Mapping[str, object], row: Row, w: Words, behind: Behind) -> Lost:
    came = found.one("ripe_reached", k=row["k"], group=None)
    of = came["value"] if came else row["n"]
    following = next((one["step"] for one in found.of("reached", k=row["k"] + 1)), "")
    about = w.t("crowd.lost.stop", share=w.percent(row["value"] / of if of else None), n=of, window=window_said(str(asked["window"]), w))
    return Lost([visible(row["step"]), visible(following)], w.t("people", n=row["value"]), about, behind("funnel", asked, row))


def losses(found: Found, asked: Mapping[str, object], currency: str, w: Words, behind: Behind, most: int) -> list[Lost]:
    """Return the steps at which most people are about to be lost, by their risk now, the largest loss first."""
    rows = [row for row in found.of("loss_to_come") if row["value"]]  # ranked by the analysis
    return [_loss(found, asked, row, currency, w, behind) for row in rows[:most]]


def _loss(found: Found, asked: Mapping[str, object], row: Row, currency: str, w: Words, behind: Behind) -> Lost:
    steps, money = asked["steps"], found.one("revenue_at_risk", k=row["k"])
    following = steps[row["k"]] if isinstance(steps, Sequence) and row["k"] < len(steps) else ""
    stopped, left = (found.one(metric, k=row["k"]) for metric in ("stopped_here", "already_left"))
    about = w.t("crowd.lost.loss", n=row["n"], low=round(row["low"]), high=round(row["high"]))
    if stopped is not None and left is not None:
        about += w.t("crowd.lost.loss.of", stopped=stopped["value"], left=left["value"])
    if money is not None and money["value"]:
        about += w.t("crowd.lost.loss.spent", money=w.money(money["value"], currency))
    return Lost(
        [visible(row["step"]), visible(str(following))],
        w.t("crowd.lost.about", n=round(row["value"])),
        about,
        behind("loss_to_come", asked, row),
    )


def before_silence(found: Found, w: Words, behind: Behind, most: int) -> list[Lost]:
    """Return the paths that surely stand before a silence more often than before a return, the surest first."""
    surely = [row for row in found.of("path_ratio") if row["value"] is not None and (row["low"] or row["value"]) > 1]
    return [_path(found, row, w, behind) for row in surely[:most]]


def _path(found: Found, row: Row, w: Words, behind: Behind) -> Lost:
    days, silent = (found.one(metric, path=row["path"]) for metric in ("path_landmarks", "path_silences"))
    about = ""
    if days is not None and silent is not None:
        about = w.t("crowd.lost.path", n=days["value"], silent=silent["value"])
    return Lost(nodes_of(row["path"]), w.t("crowd.times", n=w.number(row["value"], 1)), about, behind("paths_into_silence", {}, row))


def nodes_of(path: str) -> list[str]:
    """Return the nodes of a path as they are shown.

    >>> nodes_of("view > buy")
    ['view', 'buy']
    """
    return [visible(node) for node in path.split(ARROW)]


def window_said(window: str, w: Words) -> str:
    """Say how long a funnel waits.

    >>> from insights.words import words
    >>> window_said("7d", words("en")), window_said("same_day", words("en"))
    ('7 days', 'the same day')
    """
    seconds = {"m": 60, "h": 3600, "d": 86_400, "w": 7 * 86_400}
    return w.t("crowd.same_day") if window == "same_day" else w.duration(float(window[:-1]) * seconds[window[-1]])
