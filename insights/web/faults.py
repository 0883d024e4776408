"""Why is there no answer? In the language of the page; the command line and programs are told in English."""

from __future__ import annotations

from insights.asked.messages import Faulted
from insights.words import Words
from insights.words.wrong import WORDS
from stream.shown import visible


def fault_said(fault: Faulted, w: Words) -> str:
    """Say it. Parameters and analyses are called as the form calls them. What has no other words, as what a database says of a SELECT, is said in English.

    >>> from insights.words import words
    >>> fault = Faulted("usage", "follow takes a whole number, got 'x'", "{parameter} takes a whole number, got {got}", {"parameter": "follow", "got": "'x'"})
    >>> fault_said(fault, words("en")), fault_said(fault, words("zh"))
    ("follow takes a whole number, got 'x'", "“跟踪单位数”应为整数，得到 'x'")
    """
    key = fault.says or fault.words
    if w.lang == "en" or key not in WORDS:
        return visible(fault.words)
    labels = {"parameter": f"asks.{fault.values.get('parameter')}", "analysis": f"analysis.{fault.values.get('analysis')}"}
    named = {name: w.t(label) for name, label in labels.items() if label in w}
    return visible(w.t(key, **{**fault.values, **named}))
