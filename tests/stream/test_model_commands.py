"""`churnwatch model`: what is there, who serves, and what a person may ask for; on a real Redis, and the rebuild on a real Kafka."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from confluent_kafka import Producer
from kafka import TopicPartition
from kafka.admin import KafkaAdminClient
from msgspec.structs import replace
from typer.testing import CliRunner

from features.definitions.definition import ChurnDefinition
from features.store.app_spec import AppSpec
from features.store.redis import connect, save_spec
from features.users.catalog import WIDTH
from online_models.checkpoint import CheckpointRefused, Header, unseal_version
from online_models.judged import over
from online_models.registry_redis import RedisRegistry
from online_models.trainer import never
from stream.cli import app
from stream.demo.local_redis import LocalRedis
from stream.ownership.served import ModelSource, model_key
from stream.processes.trainer import Training, begin, trainer_settings
from stream.settings import Settings, load_settings
from tests.online_models.test_learning import make_blocks
from tests.stream.topics import make_topics

pytestmark = pytest.mark.real_redis

TOML = """
[learning]
batch = 64
min_labels = 50
window = 500
models = ["cadence", "logistic", "mix"]
[[definitions]]
name = "gone"
"""


class Deployment:
    """One app with versions in its registry, and the command line on it."""

    def __init__(self, folder: Path, redis_url: str, name: str, monkeypatch: pytest.MonkeyPatch, kafka: str = "127.0.0.1:1") -> None:
        monkeypatch.chdir(folder)
        (folder / "churnwatch.toml").write_text(TOML)
        for variable, value in (("APP", name), ("REDIS", redis_url), ("KAFKA", kafka), ("TOPIC_PREFIX", f"{name}-")):
            monkeypatch.setenv(f"CHURNWATCH_{variable}", value)
        self.name = name
        self.settings: Settings = load_settings()
        self.client = connect(redis_url)
        self.registry = RedisRegistry(self.client, name)
        self.spec = self.settings.spec()

    def train(self, seed: int = 0, kept: bool = True) -> Training:
        training = Training(trainer_settings(self.settings), self.registry, self.spec.hash, model_key(self.settings), fresh=not kept)
        for number, (_, block) in enumerate(make_blocks(seed=seed)):
            if number >= training.next_offset:
                training.feed(number, 0, replace(block, spec_hash=self.spec.hash).pack())
        return training

    def newest(self) -> Header:
        sealed = self.registry.load("gone", max(self.registry.versions("gone")))
        assert sealed is not None
        return unseal_version(sealed, model_key(self.settings), None)[0]

    def source(self) -> ModelSource:
        source = ModelSource(self.registry, [ChurnDefinition(name="gone")], self.spec.hash, model_key(self.settings))
        source.refresh()
        return source

    def serves(self) -> int:
        return self.source().champions(2**60)[0].version

    def run(self, *arguments: str) -> tuple[int, str]:
        done = CliRunner().invoke(app, ["model", *arguments], env={"COLUMNS": "200"})
        return done.exit_code, done.output + (str(done.exception) if done.exception else "")

    def said(self, *arguments: str) -> str:
        code, text = self.run(*arguments)
        assert code == 0, text
        return text


@pytest.fixture
def deployment(tmp_path: Path, redis_server: LocalRedis, app_name: str, monkeypatch: pytest.MonkeyPatch) -> Deployment:
    return Deployment(tmp_path, redis_server.url, app_name, monkeypatch)


def test_before_the_first_version_it_says_who_serves(deployment: Deployment) -> None:
    assert "The rule serves until 50 labels of each class" in deployment.said("ls")
    assert deployment.serves() == 0


def test_versions_are_listed_shown_and_compared(deployment: Deployment) -> None:
    learner = deployment.train().trainer.learners["gone"]
    listed = deployment.said("ls")
    assert f"{learner.version} " in listed
    assert "serves" in listed
    shown = deployment.said("show")
    assert "repeat days" in shown
    assert "looks at: " in shown
    rows = {line.split()[0]: line.split()[1:] for line in shown.split("too high by")[-1].splitlines() if line[:2] == "19"}
    assert {day: int(row[0].replace(",", "")) for day, row in rows.items()} == {
        f"{datetime.fromtimestamp(day * 86_400, UTC):%Y-%m-%d}": one.n for day, one in deployment.newest().days.items()
    }
    assert all(name in shown for name in ("cadence", "logistic", "mix"))
    assert "apart on average" in deployment.said("compare", str(learner.version - 1), str(learner.version))


def test_a_pinned_version_serves_however_many_come_after_it(deployment: Deployment) -> None:
    first = deployment.train().trainer.learners["gone"].version
    deployment.said("pin", str(first))
    more = deployment.train(seed=8, kept=False).trainer.learners["gone"].version
    assert more > first + 8
    assert deployment.serves() == first
    assert "pinned" in deployment.said("ls")
    deployment.said("unpin")
    assert deployment.serves() == more


def test_rollback_goes_one_back_and_stays(deployment: Deployment) -> None:
    newest = deployment.train().trainer.learners["gone"].version
    deployment.said("rollback")
    assert deployment.serves() == newest - 1
    deployment.said("rollback")
    assert deployment.serves() == newest - 2


def test_a_promoted_candidate_serves_from_the_next_version_on(deployment: Deployment) -> None:
    deployment.train()
    deployment.said("promote", "cadence")
    learner = deployment.train(seed=8, kept=False).trainer.learners["gone"]
    assert learner.standing.champion == "cadence"
    deployment.said("promote", "--best")
    assert deployment.train(seed=9, kept=False).trainer.learners["gone"].standing.champion != "cadence"


def test_an_export_holds_the_model(deployment: Deployment, tmp_path: Path) -> None:
    number = str(deployment.train().trainer.learners["gone"].version)
    deployment.said("export", number, "--out", str(tmp_path / "model.json"))
    found = json.loads((tmp_path / "model.json").read_text())
    assert found["header"]["definition"] == "gone"
    deployment.said("export", number, "--out", str(tmp_path / "model.bin"))
    assert (tmp_path / "model.bin").read_bytes() == deployment.registry.load("gone", int(number))


def test_misuse_is_said_with_what_to_do(deployment: Deployment) -> None:
    number = deployment.train().trainer.learners["gone"].version
    for arguments, says in (
        (("pin", "999"), f"there are: {number - 7}"),
        (("promote", "logistc"), "did you mean logistic"),
        (("promote",), "either a candidate or --best"),
        (("ls", "-d", "other"), "the settings have gone"),
    ):
        code, text = deployment.run(*arguments)
        assert code != 0
        assert says in text


def test_a_damaged_version_is_refused_and_the_last_good_one_serves(deployment: Deployment) -> None:
    newest = deployment.train().trainer.learners["gone"].version
    key = f"cw:{deployment.name}:model:gone:{newest}"
    sealed = deployment.registry.load("gone", newest)
    assert sealed is not None
    deployment.client.set(key, sealed[:-40])
    assert deployment.serves() == newest - 1


def test_metrics_tell_what_a_version_says_of_itself(deployment: Deployment) -> None:
    from prometheus_client import generate_latest

    from stream.processes.metrics import WorkerMetrics

    deployment.train()
    source = ModelSource(deployment.registry, [ChurnDefinition(name="gone")], deployment.spec.hash, model_key(deployment.settings))
    metrics = WorkerMetrics(["gone"])
    for header in source.refresh():
        metrics.learned(header)
    text = generate_latest(metrics.registry).decode()
    assert 'churnwatch_model_champion{definition="gone",model="mix"} 1.0' in text
    assert 'churnwatch_model_quality{definition="gone",figure="auc",model="logistic"}' in text
    assert 'churnwatch_model_segment_quality{definition="gone",figure="ece",segment="repeat days"}' in text
    assert 'churnwatch_model_calibration{definition="gone",figure="stated",risk="0-.1"}' in text
    labels = over(deployment.newest().days, 7).n
    assert labels > 100
    assert f'churnwatch_model_calibration_days{{days="7",definition="gone",figure="labels"}} {float(labels)}' in text


class Examples:
    """A deployment that has learned the examples in a topic, and whose checkpoint is then another."""

    def __init__(self, folder: Path, redis_url: str, kafka: str, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
        self.one = Deployment(folder, redis_url, name, monkeypatch, kafka)
        self.topic = make_topics(kafka, f"{name}-", 1)["examples"]
        producer = Producer({"bootstrap.servers": kafka})
        for _, block in make_blocks():
            producer.produce(self.topic, replace(block, spec_hash=self.one.spec.hash).pack(), partition=0)
        assert producer.flush(20) == 0
        save_spec(self.one.client, name, AppSpec(spec=self.one.spec, cluster_id="c", topic_id="t", partitions=1))
        self.before = self.one.train().trainer.learners["gone"]

    def put(self, checkpoint: bytes) -> None:
        self.one.client.hset(f"cw:{self.one.name}:trainer", "checkpoint", checkpoint)

    def learned_all_again(self) -> None:
        """The same models, under higher numbers."""
        one = self.one
        after = Training(trainer_settings(one.settings), one.registry, one.spec.hash, model_key(one.settings)).trainer.learners["gone"]
        probe = np.random.default_rng(2).integers(0, 256, (50, WIDTH)).astype(np.uint8)
        assert after.learned == self.before.learned
        assert np.array_equal(after.score(probe), self.before.score(probe), equal_nan=True)
        assert one.serves() > self.before.version


@pytest.fixture
def examples(tmp_path: Path, redis_server: LocalRedis, kafka: str, app_name: str, monkeypatch: pytest.MonkeyPatch) -> Examples:
    return Examples(tmp_path, redis_server.url, kafka, app_name, monkeypatch)


OF_AN_OLDER_BUILD = b"CWMODEL\x01" + b"pickled trees" * 20


@pytest.mark.real_kafka
def test_a_checkpoint_that_cannot_be_read_is_rebuilt_from_the_examples(examples: Examples) -> None:
    examples.put(b"CWMODEL\x05" + b"damaged" * 20)
    with pytest.raises(CheckpointRefused, match="model rebuild"):
        examples.one.train()
    assert "labels" in examples.one.said("rebuild")
    examples.learned_all_again()


@pytest.mark.real_kafka
def test_a_checkpoint_of_an_older_build_is_learned_anew_without_anybody(examples: Examples, caplog: pytest.LogCaptureFixture) -> None:
    one = examples.one
    examples.put(OF_AN_OLDER_BUILD)
    training = begin(one.settings, one.spec.hash, one.registry, never)
    assert training is not None
    assert training.next_offset == len(make_blocks())
    assert sum("of an older build" in record.message for record in caplog.records) == 1
    examples.learned_all_again()


@pytest.mark.real_kafka
def test_asked_to_stop_while_it_learns_anew_it_changes_nothing(examples: Examples) -> None:
    one = examples.one
    examples.put(OF_AN_OLDER_BUILD)
    assert begin(one.settings, one.spec.hash, one.registry, lambda: True) is None
    assert one.registry.claim().checkpoint == OF_AN_OLDER_BUILD
    assert one.serves() == examples.before.version


@pytest.mark.real_kafka
def test_an_older_builds_checkpoint_is_kept_for_a_person_when_examples_are_gone(examples: Examples, kafka: str) -> None:
    one = examples.one
    admin = KafkaAdminClient(bootstrap_servers=kafka)
    admin.delete_records({TopicPartition(examples.topic, 0): 3})
    admin.close()
    examples.put(OF_AN_OLDER_BUILD)
    with pytest.raises(CheckpointRefused, match=r"the first 3 records of the examples are gone.*model rebuild"):
        begin(one.settings, one.spec.hash, one.registry, never)
    assert one.registry.claim().checkpoint == OF_AN_OLDER_BUILD
    assert one.serves() == examples.before.version
