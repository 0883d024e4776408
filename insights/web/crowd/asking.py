"""How does a page ask? All its questions first, so that they are computed together; then it waits a little for those that are under way."""

from __future__ import annotations

from collections.abc import Mapping
from time import monotonic

from insights.asked.asked import Answer, Asked
from insights.web.crowd.found import Found
from insights.web.faults import fault_said
from insights.words import Words

PATIENCE_S = 0.7
"""So long a page waits for what is under way, in all; then it shows what there is, and says what is to come."""


class Asking:
    """The questions of one page.

    Attributes
    ----------
    notices : list of str
        What is to be said of answers that are not there, or are being made anew.
    again : bool
        Whether something is under way, so that the page is to be shown again soon.
    """

    def __init__(self, asked: Asked, w: Words) -> None:
        self._asked, self._w, self._until = asked, w, monotonic() + PATIENCE_S
        self.notices: list[str] = []
        self.again = False

    def begin(self, *questions: tuple[str, Mapping[str, object]]) -> None:
        """Let questions be computed side by side, before the first of them is waited for."""
        for name, parameters in questions:
            self._asked.look(name, parameters)

    def __call__(self, name: str, parameters: Mapping[str, object], *, needs_scores: bool = False) -> Found | None:
        """Return what was found; None where there is nothing yet, and then there is a notice.

        Parameters
        ----------
        needs_scores : bool
            Whether it is asked of what the engine said, of which a history may have nothing: then None without a notice.
        """
        answer = self._asked.look(name, parameters, wait_s=max(0.0, self._until - monotonic()))
        notice = "" if needs_scores and answer.reason == "usage" else self._notice(answer, name)
        if notice and notice not in self.notices:
            self.notices.append(notice)
        self.again |= answer.state == "running"
        found = answer.result
        return None if found is None else Found(found.rows.dicts(), found.as_of, found.notes)

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
                return ""
