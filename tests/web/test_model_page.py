"""The page Model: every figure with its n and its definition, of the definition asked for, and what strangers wrote as text."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC
from html import unescape

import msgspec
import pytest

from features.users.spec import FeatureSpec
from insights.past.rows import JudgedRisk
from insights.web.model.right import in_words
from insights.web.model.tables import SHOWN, candidates_of, model_said, segment_said, versions_of, why_said
from insights.web.saying import Saying
from insights.words import DASH, LANGUAGES, words
from online_models.checkpoint import Header
from online_models.quality import FIGURES
from stream.demo.local_redis import LocalRedis
from tests.web.world import WebWorld, make_world

EN = Saying(words("en"), FeatureSpec(), UTC, "USD", 0)


@pytest.fixture(scope="module")
def world(redis_server: LocalRedis, tmp_path_factory: pytest.TempPathFactory) -> Iterator[WebWorld]:
    made = make_world("full", redis_server, tmp_path_factory.mktemp("model"), app_name="model-full")
    yield made
    made.close()


def text_of(html: str) -> str:
    return re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]*>", " ", html)))


@pytest.mark.real_redis
class TestPage:
    def test_it_names_who_serves_and_how_right_it_was(self, world: WebWorld) -> None:
        shown = text_of(world.browser().get("/model").text)
        served = world.parts.models.served(world.parts.engine.view(), "churn14")
        assert served is not None
        assert f"version {served.champion.version}" in shown
        whole = sum(one.n for one in world.parts.past.calibration("churn14", "day"))
        assert f"{whole:,} judgements of the last 90 days whose time is up" in shown

    def test_both_charts_stand_on_the_same_outcomes(self, world: WebWorld) -> None:
        past = world.parts.past
        assert sum(one.n for one in past.calibration("churn14", "day")) == sum(one.n for one in past.calibration("churn14", "risk"))

    def test_outcomes_known_are_those_of_the_strip_and_the_charts(self, world: WebWorld) -> None:
        labels = world.parts.past.labels_known("churn14")
        assert labels.left + labels.stayed == sum(one.n for one in world.parts.past.calibration("churn14", "day"))

    @pytest.mark.parametrize("lang", LANGUAGES)
    def test_each_definition_has_its_own(self, world: WebWorld, lang: str) -> None:
        shown = [world.browser().get(f"/model?definition={name}&lang={lang}") for name in ("churn14", "no-purchase")]
        assert [one.status_code for one in shown] == [200, 200]
        assert shown[0].text != shown[1].text

    def test_a_definition_that_there_is_not_is_refused(self, world: WebWorld) -> None:
        assert world.browser().get("/model?definition=churn99").status_code == 422


def header(**changed: object) -> Header:
    row: dict[str, float | None] = dict.fromkeys(FIGURES, 0.5) | {"n": 1_200.0, "log_loss": 0.31}
    made = Header(
        kind="model",
        spec_hash="",
        definition="d",
        number=7,
        champion="mix",
        labels=1_200,
        churned=300,
        figures={"mix": row},
        segments={"all": row},
    )
    return msgspec.structs.replace(made, **changed)


def test_figures_have_their_heading_and_what_is_not_known_is_a_dash() -> None:
    figures: dict[str, dict[str, float | None]] = {"mix": {"n": 3.0, "log_loss": None}, "logistic": {"n": 3.0, "log_loss": 0.2}}
    best, other = candidates_of(header(figures=figures), EN)
    assert (best.name, other.name, other.is_it) == ("logistic regression", "mix of all", True)
    assert other.cells == ["3"] + [DASH] * (len(SHOWN) - 1)


@pytest.mark.parametrize("hostile", ["<script>alert(1)</script>", "\u202eevil", "a|b"])
def test_names_of_a_newer_build_are_shown_as_they_are(hostile: str) -> None:
    assert "\u202e" not in model_said(hostile, EN) + why_said(hostile, EN) + segment_said(f"channel {hostile}", EN) + segment_said(
        hostile, EN
    )


def test_a_hostile_model_name_is_text_on_the_page() -> None:
    from insights.web.frame import templates

    row = candidates_of(header(champion="<img src=x>", figures={"<img src=x>": {"n": 1.0}}), EN)
    html = templates().from_string("{% for one in rows %}{{ one.name }}{% endfor %}").render(rows=row)
    assert html == "&lt;img src=x&gt;"


def test_in_one_sentence() -> None:
    groups = [JudgedRisk(n=100, said=0.75, left=78, low=0.7, high=0.8), JudgedRisk(n=1_000, said=0.1, left=90, low=0.1, high=0.2)]
    assert in_words(groups, EN) == (
        f"Of 100 judgements that gave 70% risk or more (75% on average), 78% really left (95% interval {EN.w.interval(0.69, 0.85)})."
    )
    assert in_words(groups[1:], EN) == ""


def test_versions_say_why_and_what_was_found() -> None:
    from insights.live.models import Served
    from online_models.registry import Wish
    from online_models.scorer import Champion

    served = Served(Champion(7, None), Wish(version=7), (header(why="enough labels", drifts=2),))  # type: ignore[arg-type]  # it scores nothing here
    (version,) = versions_of(served, EN)
    assert version.serves
    assert all(word in version.notes for word in ("serves now", "pinned by a person", "enough outcomes are known", "2 changes found"))
