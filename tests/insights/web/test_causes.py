"""What rejected records usually are has its Chinese, whatever the table of causes says."""

from __future__ import annotations

from datetime import UTC

import pytest

from features.definitions.reason import Reason
from features.events.event import WORDS as REASONS
from features.users.spec import FeatureSpec
from insights.live.letters import Rejected
from insights.web.data.causes import cause_said, causes_of, reason_said
from insights.web.saying import Saying
from insights.words import DASH, words
from insights.words.data import CAUSES
from insights.words.data import WORDS as SAID
from stream.shard.causes import _LABELS as OF_LABELS
from stream.shard.causes import CAUSES as ENGLISH

EN, ZH = (Saying(words(lang), FeatureSpec(), UTC, "USD", 0) for lang in ("en", "zh"))
EVERY = [*(cause.words for cause in ENGLISH), *OF_LABELS.values(), *REASONS.values()]


@pytest.mark.parametrize("cause", EVERY)
def test_each_cause_has_its_chinese(cause: str) -> None:
    assert cause_said(cause, EN) == cause
    said = cause_said(cause, ZH)
    assert said != cause
    assert any("\u4e00" <= one <= "\u9fff" for one in said)


def test_no_cause_is_said_that_there_is_not() -> None:
    assert set(CAUSES) <= set(EVERY)


@pytest.mark.parametrize("reason", [*Reason.__members__, "label_invalid", "label_definition"])
def test_each_reason_is_in_words(reason: str) -> None:
    assert f"reject.{reason}" in SAID
    assert reason_said(reason, ZH) != reason


def test_a_reason_of_a_newer_build_is_shown_as_it_is_and_made_visible() -> None:
    assert reason_said("too_\u202enew", EN) == "too_\\u202enew"


def test_reasons_come_with_their_share_and_what_they_usually_are() -> None:
    totals = {"ok": 990, "late": 7, "not_json": 3}
    rejected = {
        ("not_json", None): Rejected(2, "JSON that was cut off", 0),
        ("label_invalid", None): Rejected(4, OF_LABELS["label_invalid"], 0),
    }
    late, json, label = causes_of(totals, rejected, EN)
    assert (late.n, late.share, late.usual) == ("7", "0.70%", [])
    assert (json.n, json.share) == ("3", "0.30%")
    assert [one.cause for one in json.usual] == ["JSON that was cut off"]
    assert (label.n, label.share) == ("4", DASH)  # labels are not among the records of clicks
