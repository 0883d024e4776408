"""From the numbers of a reason to a sentence, in either language: one pure function, which a worker, the command line and the page share.

>>> say(ReasonCode("silence", 846_700.0, 82_800.0, "seconds"), FeatureSpec(), "en")
'No activity for 9.8 days; usually back within 23 hours'
>>> say(ReasonCode("silence", 846_700.0, 82_800.0, "seconds"), FeatureSpec(), "zh")
'已 9.8 天没有活动，平时 23 小时内会回来'
"""

from __future__ import annotations

from bisect import bisect_right

from features.users.spec import FeatureSpec
from features.users.state import KEYS
from stream.alerts.message import Alert, ReasonCode
from stream.alerts.spoken import Lang, counted, duration, percent, spaced
from stream.alerts.templates import NOUNS, TEMPLATES, UNITS, Sentence, Template, Unit
from stream.alerts.values import EXACT_UP_TO

_LARGEST = 1e15
"""A number beyond it is no number of ours."""
NOTHING: dict[Unit, float] = dict.fromkeys(UNITS, 0.5) | {"seconds": 55.0, "share": 0.0}
"""Up to this value a unit has nothing to count: it would be said as none, or as less than a minute."""


class Unsayable(ValueError):
    """A reason that this build has no sentence for: its code or unit is unknown, its number impossible, or nothing is configured under its name."""


def say(reason: ReasonCode, names: FeatureSpec, lang: Lang) -> str:
    """Return the sentence of a reason.

    Parameters
    ----------
    names : FeatureSpec
        Names the key events, the steps of the funnel and the channels: the spec that the app's workers run with.

    Raises
    ------
    Unsayable
        If this build cannot say it; `said` has what to show then.
    """
    template = TEMPLATES.get(reason.code)
    if template is None or template.unit != reason.unit:
        raise Unsayable(f"no sentence for {reason.code!r} in {reason.unit!r}")
    if not (0 <= reason.now < _LARGEST and (reason.usual is None or 0 <= reason.usual < _LARGEST)):
        raise Unsayable(f"{reason.code}: {reason.now} and {reason.usual} are no {reason.unit}")
    text = _filled(template, template.sentence(lang), reason, lang)
    text = text[0].upper() + text[1:] if lang == "en" else spaced(text)
    # names come last: they are written by strangers, and stay as they are
    return text.replace("{name}", _name(template, reason, names)) if "{name}" in text else text


def said(alert: Alert, names: FeatureSpec, lang: Lang) -> list[str]:
    """Return the reasons of an alert as sentences, in their order.

    In English these are the sentences of the message itself. In another language, what this build cannot say stays English: reasons of an alert
    that was made before there were codes, or by a newer build.
    """
    if lang == "en" or len(alert.reason_codes) != len(alert.reasons):
        return list(alert.reasons)
    return [_said(code, english, names, lang) for code, english in zip(alert.reason_codes, alert.reasons, strict=True)]


def _said(code: ReasonCode, english: str, names: FeatureSpec, lang: Lang) -> str:
    try:
        return say(code, names, lang)
    except Unsayable:
        return english


def _filled(template: Template, sentence: Sentence, reason: ReasonCode, lang: Lang) -> str:
    """Return the sentence with its numbers, and {name} still in its place."""
    unit, now, usual = template.unit, reason.now, reason.usual
    if template.bounds:
        words = sentence.words[bisect_right(template.bounds, now)]
        return words.format(now=_with_noun(_number(template, now, lang), unit, lang), name="{name}") if "{now}" in words else words
    if now <= NOTHING[unit]:
        if not sentence.none:
            raise Unsayable(f"{reason.code}: nothing is never said of it")
        return sentence.none
    number = _number(template, now, lang)
    text = sentence.words[0].format(n=number, now=_with_noun(number, unit, lang))
    if not sentence.usual or usual is None or (usual < 0.5 and unit != "seconds"):
        return text
    usual_number = duration(max(usual, 60.0), lang) if unit == "seconds" else counted(usual, lang, exact=usual < 20)
    if usual_number == number:
        return text
    return text + sentence.usual.format(usual_n=usual_number, usual=_with_noun(usual_number, unit, lang))


def _number(template: Template, now: float, lang: Lang) -> str:
    if template.unit == "seconds":
        return duration(now, lang)
    if template.unit == "share":
        return percent(now, lang)
    return counted(now, lang, exact=bool(template.counts) and now <= EXACT_UP_TO[template.counts])


def _with_noun(number: str, unit: Unit, lang: Lang) -> str:
    if unit not in NOUNS:
        return number
    one, many = NOUNS[unit][lang]
    return f"{number} {one if number == '1' else many}" if lang == "en" else f"{number}{many}"


def _name(template: Template, reason: ReasonCode, names: FeatureSpec) -> str:
    try:
        return template.named(names, round(reason.now))
    except IndexError:
        raise Unsayable(f"{reason.code}: nothing is configured under {reason.now}") from None


def reasons_markdown() -> str:
    """Return the table of reasons as the docs show it."""
    lines = ["| code | unit | English | Chinese |", "|---|---|---|---|"]
    for code, template in TEMPLATES.items():
        if code.startswith("key_") and not code.endswith("_0"):
            continue
        shown = f"`{code}` to `{KEYS - 1}`" if code.startswith("key_") else f"`{code}`"
        lines.append(f"| {shown} | {template.unit} | {_in_docs(template.en)} | {_in_docs(template.zh)} |")
    return "\n".join(lines) + "\n"


def _in_docs(sentence: Sentence) -> str:
    first, *others = sentence.words
    text = "<br>".join((first + sentence.usual, *others, *filter(None, [sentence.none])))
    return text.replace("{n}", "{now}").replace("{usual_n}", "{usual}")
