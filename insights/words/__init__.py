"""What does the page say, in English and in Chinese? Every word, in a file for each page, and how each language writes numbers, money and dates.

To add a word, add a row to `WORDS` of the page's file; to use it, `words(lang).t(key)`. A missing word fails a test, never a reader.
"""

from __future__ import annotations

from functools import cache

from insights.words import (
    access,
    analyses,
    at_risk,
    boards,
    changes,
    common,
    crowd,
    data,
    dictionary,
    errors,
    explore,
    features,
    feedback,
    inviters,
    journeys,
    model,
    people,
    person,
    reports,
    risks,
    scenes,
    scheduled,
    standing,
    states,
    suggested,
    tenure,
    watches,
    wrong,
)
from insights.words.language import DASH as DASH
from insights.words.language import Words as Words
from insights.words.said import LANGUAGES as LANGUAGES
from insights.words.said import Lang as Lang
from insights.words.said import Said

FILES: dict[str, dict[str, Said]] = {
    "common": common.WORDS,
    "at_risk": at_risk.WORDS,
    "person": person.WORDS,
    "model": model.WORDS,
    "data": data.WORDS,
    "access": access.WORDS,
    "states": states.WORDS,
    "analyses": analyses.WORDS,
    "journeys": journeys.WORDS,
    "features": features.WORDS,
    "errors": errors.WORDS,
    "tenure": tenure.WORDS,
    "feedback": feedback.WORDS,
    "inviters": inviters.WORDS,
    "changes": changes.WORDS,
    "dictionary": dictionary.WORDS,
    "crowd": crowd.WORDS,
    "risks": risks.WORDS,
    "scenes": scenes.WORDS,
    "standing": standing.WORDS,
    "people": people.WORDS,
    "reports": reports.WORDS,
    "scheduled": scheduled.WORDS,
    "watches": watches.WORDS,
    "boards": boards.WORDS,
    "explore": explore.WORDS,
    "wrong": wrong.WORDS,
    "suggested": suggested.WORDS,
}
"""The words of each file, by its name. No key stands in two of them."""


@cache
def words(lang: Lang) -> Words:
    """Return what a language says. Raises ValueError for a language that there is not.

    >>> words("en").t("Person"), words("zh").t("Person")
    ('Person', '用户')
    """
    if lang not in LANGUAGES:
        raise ValueError(f"no language {lang!r}; there are: {', '.join(LANGUAGES)}")
    return Words(lang, {key: said for table in FILES.values() for key, said in table.items()})
