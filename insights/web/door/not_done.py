"""Why was something not done? One sentence in each language, for the page and for the command line."""

from __future__ import annotations

from insights.words import Lang, words
from stream.faults import UsageFault


class NotDone(UsageFault):
    """What was asked for cannot be; nothing was changed.

    Attributes
    ----------
    key : str
        Of the sentence, in `insights.words.access`.
    values : dict
        What stands in it.
    """

    def __init__(self, key: str, **values: object) -> None:
        super().__init__(words("en").t(key, **values))
        self.key, self.values = key, values

    def said(self, lang: Lang) -> str:
        """Return the sentence.

        >>> NotDone("not_done.last_admin").said("en")
        'Nobody could manage access any more: make another person an admin first.'
        """
        return words(lang).t(self.key, **self.values)
