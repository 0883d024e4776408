"""What the settings file gives people to begin with, put into the store when the page starts."""

from __future__ import annotations

import logging

from insights.asked.child import NoAnswer
from insights.asked.crew import WORDS
from insights.asked.questions import judge_question
from insights.made.seeds import plant, seeds_of
from insights.web.parts import Parts
from stream.faults import UsageFault

log = logging.getLogger(__name__)


def plant_seeds(parts: Parts) -> None:
    """Keep the questions, boards and segments of the settings file, but those that people have made theirs.

    Raises
    ------
    UsageFault
        With everything in the file that is wrong, and what to do.
    """
    made = parts.settings.made
    if not any(made.values()):
        return
    try:
        entries = parts.asked.catalog() if made.get("questions") else {}
    except NoAnswer as error:
        raise UsageFault(f"the questions of the settings file cannot be judged: {WORDS[error.reason]}") from None
    seeds = seeds_of(made, lambda one: judge_question(one.analysis, one.parameters, one.cell, entries))
    with parts.store.write() as db:
        theirs = plant(db, seeds, parts.now_ms())
    if theirs:
        log.info("people have changed what the settings file gives, and theirs is kept", extra={"names": theirs})
