"""Who serves is who a worker would take, and what each version learned is what its header says; a forged version is neither."""

from __future__ import annotations

from dataclasses import replace

import msgspec
import pytest

from features.definitions.definition import ChurnDefinition
from features.store.app_spec import AppSpec
from features.store.redis import connect
from features.users.spec import FeatureSpec
from insights.live.engine import EngineView
from insights.live.models import Models, Served
from online_models.checkpoint import Header
from online_models.registry import Wish
from online_models.registry_redis import RedisRegistry
from online_models.scorer import Champion
from stream.demo.local_redis import LocalRedis
from stream.processes.trainer import Training
from stream.shard.meta import ShardMeta
from tests.online_models.test_learning import SETTINGS, make_blocks

KEY = b"key"
SPEC = FeatureSpec(definitions=(ChurnDefinition(name="gone"),))


def view_of(as_of_ms: int) -> EngineView:
    stored = AppSpec(spec=SPEC, cluster_id="c", topic_id="t", partitions=1)
    return EngineView(stored, {0: ShardMeta(max_ms=as_of_ms + SPEC.lateness_ms)}, reached=True, answered_ms=1)


@pytest.mark.real_redis
class TestRegistry:
    @pytest.fixture
    def registry(self, redis_server: LocalRedis, app_name: str) -> RedisRegistry:
        registry = RedisRegistry(connect(redis_server.url), app_name)
        training = Training(replace(SETTINGS, models=("cadence", "logistic", "mix")), registry, SPEC.hash, KEY)
        for number, (_, block) in enumerate(make_blocks(seed=1)):
            training.feed(number, 0, msgspec.structs.replace(block, spec_hash=SPEC.hash).pack())
        return registry

    def test_the_newest_serves_and_all_kept_ones_have_their_headers(self, registry: RedisRegistry, app_name: str) -> None:
        models, listed = Models(registry.client, app_name, KEY), registry.versions("gone")
        served = models.served(view_of(2**50), "gone")
        assert served is not None
        assert served.champion.version == max(listed)
        assert [one.number for one in served.headers] == sorted(listed, reverse=True)
        assert served.header is not None
        assert served.name == served.header.champion

    def test_what_learned_from_beyond_the_present_does_not_serve_yet(self, registry: RedisRegistry, app_name: str) -> None:
        first = min(registry.versions("gone").items())
        served = Models(registry.client, app_name, KEY).served(view_of(first[1]), "gone")
        assert served is not None
        assert served.champion.version == first[0]
        rule = Models(registry.client, app_name, KEY).served(view_of(first[1] - 1), "gone")
        assert rule is not None
        assert (rule.champion.version, rule.rule, rule.header) == (0, True, None)

    def test_another_key_makes_every_version_a_stranger(self, registry: RedisRegistry, app_name: str) -> None:
        served = Models(registry.client, app_name, b"another").served(view_of(2**50), "gone")
        assert served is not None
        assert (served.champion.version, served.headers) == (0, ())

    def test_a_definition_that_there_is_not(self, registry: RedisRegistry, app_name: str) -> None:
        with pytest.raises(KeyError):
            Models(registry.client, app_name, KEY).served(view_of(2**50), "other")

    def test_before_the_first_worker_nobody_serves(self, registry: RedisRegistry, app_name: str) -> None:
        assert Models(registry.client, app_name, KEY).served(EngineView(None, {}, reached=True, answered_ms=0), "gone") is None


def header(number: int, champion: str) -> Header:
    return Header(kind="model", spec_hash="", definition="gone", number=number, champion=champion)


@pytest.mark.parametrize(
    ("champions", "serving", "since"),
    [
        (["mix", "mix", "logistic"], 3, 2),  # newest first: versions 3, 2, 1
        (["mix", "mix", "mix"], 3, 1),
        (["logistic", "mix", "mix"], 3, 3),
        (["logistic", "mix", "mix"], 2, 1),  # an older one is pinned
    ],
)
def test_since_when_the_same_candidate_serves(champions: list[str], serving: int, since: int) -> None:
    headers = tuple(header(len(champions) - n, name) for n, name in enumerate(champions))
    found = Served(Champion(serving, None), Wish(), headers).since  # type: ignore[arg-type]  # it scores nothing here
    assert found is not None
    assert found.number == since
