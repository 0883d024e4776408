"""What of Kafka does not fit an app, and the one thing that mends it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import msgspec
import pytest

from features.store.app_spec import AppSpec
from features.users.spec import FeatureSpec
from stream.kafka.topics import TOPICS
from stream.processes.fitness import Cluster, judge_clicks, judge_clicks_config, judge_group, judge_place, judge_topics, settled_group
from stream.settings import Settings, load_settings

STORED = AppSpec(spec=FeatureSpec(), cluster_id="c", topic_id="t", partitions=4, app="shop", group="g", topic_prefix="")
ALL = {topic.logical: topic.partitions or 4 for topic in TOPICS}
FINE = {"cleanup.policy": "delete", "message.timestamp.type": "LogAppendTime", "message.timestamp.after.max.ms": str(2**63 - 1)}


def settings(**overrides: Any) -> Settings:
    return load_settings(None, {"CHURNWATCH_APP": "shop"}, **overrides)


def test_the_group_is_the_configured_one_then_the_stored_one_then_the_app_s_name() -> None:
    old = msgspec.structs.replace(STORED, group=None)
    assert [settled_group(settings(), one) for one in (None, STORED, old)] == ["shop", "g", "churnwatch"]
    assert {settled_group(settings(app__group="mine"), one) for one in (None, STORED, old)} == {"mine"}


def test_a_group_is_refused_when_another_app_is_in_it_or_its_own_workers_are_in_another() -> None:
    assert judge_group(settings(), None, "shop", ["churnwatch/shop", "faust-0.15.3"], []) == []
    (other,) = judge_group(settings(app__group="blog"), None, "blog", ["churnwatch/blog"], [])
    assert (other.fatal, "app 'blog'" in str(other)) == (True, True)
    (moved,) = judge_group(settings(app__group="new"), STORED, "new", [], ["churnwatch/shop"])
    assert (moved.fatal, "app.group = 'g'" in str(moved)) == (True, True)
    assert judge_group(settings(app__group="new"), STORED, "new", [], []) == []


def test_another_prefix_than_the_stored_one_is_refused() -> None:
    assert judge_place(settings(), STORED) == judge_place(settings(), None) == []
    (found,) = judge_place(settings(kafka__topic_prefix="new."), STORED)
    assert (found.fatal, "to ''" in str(found)) == (True, True)


@pytest.mark.parametrize(
    ("cluster", "what"),
    [
        (Cluster("other", "t", ALL), "CHURNWATCH_KAFKA"),
        (Cluster("c", "other", ALL), "was deleted and made anew"),
        (Cluster("c", "t", {**ALL, "clicks": 8}), "topics create --partitions 8"),
        (Cluster("c", "", {name: count for name, count in ALL.items() if name != "clicks"}), "there is no topic clicks"),
    ],
)
def test_clicks_that_are_not_those_of_the_stored_offsets_get_one_finding_with_one_fix(cluster: Cluster, what: str) -> None:
    assert judge_clicks(settings(), None, cluster) == []
    (found,) = judge_clicks(settings(), STORED, cluster)
    assert found.fatal
    assert what in str(found)
    assert "delete it" not in str(found)


@pytest.mark.parametrize(
    ("change", "fatal", "command"),
    [
        ({}, [], ""),
        ({"cleanup.policy": "compact"}, [True], "--add-config cleanup.policy=delete"),
        ({"cleanup.policy": "compact,delete"}, [True], "--add-config cleanup.policy=delete"),
        ({"message.timestamp.type": "CreateTime"}, [True, False], "--add-config message.timestamp.after.max.ms=3600000"),
        ({"message.timestamp.type": "CreateTime", "message.timestamp.after.max.ms": "3600000"}, [False], ""),
        ({"message.timestamp.type": "CreateTime", "message.timestamp.after.max.ms": "3600001"}, [True, False], "after.max.ms=3600000"),
    ],
)
def test_settings_of_the_clicks_topic_that_lose_clicks_or_believe_any_clock(
    change: dict[str, str], fatal: list[bool], command: str
) -> None:
    found = judge_clicks_config(settings(), {**FINE, **change})
    assert [one.fatal for one in found] == fatal
    assert command in " ".join(map(str, found))


def test_an_older_broker_bounds_the_future_under_another_name() -> None:
    config = {"cleanup.policy": "delete", "message.timestamp.type": "CreateTime", "message.timestamp.difference.max.ms": str(2**63 - 1)}
    assert "difference.max.ms=3600000" in str(judge_clicks_config(settings(), config)[0])
    config["message.timestamp.difference.max.ms"] = "60000"
    assert [one.fatal for one in judge_clicks_config(settings(), config)] == [False]


def test_few_copies_are_warned_of_where_there_are_brokers_for_more() -> None:
    alone = Cluster("c", "t", ALL, {**FINE, "min.insync.replicas": "1"}, dict.fromkeys(ALL, 1), 1)
    assert judge_topics(settings(), alone) == []
    found = judge_topics(settings(), replace(alone, brokers=3))
    assert [one.fatal for one in found] == [False, False]
    assert "fewer than 3 copies on 3 brokers: clicks, " in str(found[0])
    assert judge_topics(settings(), replace(alone, brokers=2, replicas=dict.fromkeys(ALL, 2), clicks_config=FINE)) == []


def test_topics_that_are_there_as_they_should_be_are_fine() -> None:
    assert judge_topics(settings(), Cluster("c", "t", ALL, FINE)) == []
