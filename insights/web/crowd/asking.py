"""How does a page ask? All its questions first, so that they are computed together; then it waits a little for those that are under way."""

from __future__ import annotations

from collections.abc import Mapping
from time import monotonic

from insights.asked.asked import Answer, Asked
from insights.web.crowd.found import Found
from insights.web.faults import fault_said
from insights.words import Words

SMALL = "note.small_groups"
"""Said once a page, however many of its answers lack something."""
PATIENCE_S = 0.7
"""So long a page waits for what is under way, in all; then it shows what there is, and says what is to come."""


class Asking:
    """The questions of one page.

    Parameters
    ----------
    persons : bool
        Whether whoever looks may see persons; otherwise small groups are withheld, and a notice says so.

    Attributes
    ----------
    notices : list of str
        What is to be said of answers that are not there, or are being made anew.
    again : bool
        Whether something is under way, so that the page is to be shown again soon.
    """

    def __init__(self, asked: Asked, w: Words, *, persons: bool) -> None:
        self._asked, self._w, self._persons, self._until = asked, w, persons, monotonic() + PATIENCE_S
        self.notices: list[str] = []
        self.again = False

    def begin(self, *questions: tuple[str, Mapping[str, object]]) -> None:
        """Let questions be computed side by side, before the first of them is waited for."""
        for name, parameters in questions:
            self._asked.look(name, parameters, persons=self._persons)

    def __call__(self, name: str, parameters: Mapping[str, object], *, needs_scores: bool = False) -> Found | None:
        """Return what was found; None where there is nothing yet, and then there is a notice.

        Parameters
        ----------
        needs_scores : bool
            Whether it is asked of what the engine said, of which a history may have nothing: then None without a notice.
        """
        answer = self._asked.look(name, parameters, persons=self._persons, wait_s=max(0.0, self._until - monotonic()))
        notice = "" if needs_scores and answer.reason == "usage" else self._notice(answer, name)
        if notice and notice not in self.notices:
            self.notices.append(notice)
        self.again |= answer.state == "running"
        found = answer.result
        if found is None:
            return None
        return Found(found.rows.dicts(), found.as_of, [note for note in found.notes if note.key != SMALL])

    def _notice(self, answer: Answer, name: str) -> str:
        w = self._w
        match answer.state:
            case "no_history":
                return w.t("crowd.no_history")
            case "running":
                return w.t("crowd.running")
            case "refused" if answer.fault is not None:
                return w.t("crowd.refused", analysis=w.t(f"analysis.{name}"), words=fault_said(answer.fault, w))
            case _:
                notes = answer.result.notes if answer.result is not None else ()
                return next((w.t(note.key, **note.values) for note in notes if note.key == SMALL), "")
