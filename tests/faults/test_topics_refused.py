"""Topics that do not fit, on a real broker: each start is refused with the one command that mends it, and starts once that was done."""

from __future__ import annotations

import pytest
from kafka.admin import ConfigResource, ConfigResourceType, KafkaAdminClient

from stream.cli.admin import create_topics
from stream.demo.local_redis import LocalRedis
from stream.processes.preflight import NotReady
from stream.processes.worker import prepare
from stream.settings import Settings, load_settings

pytestmark = [pytest.mark.real_kafka, pytest.mark.real_redis]


@pytest.fixture
def settings(kafka: str, redis_server: LocalRedis, app_name: str) -> Settings:
    environment = {"CHURNWATCH_KAFKA": kafka, "CHURNWATCH_REDIS": redis_server.url, "CHURNWATCH_APP": app_name}
    made = load_settings(None, environment, kafka__topic_prefix=f"{app_name}.", features__key_events=("click",), kafka__partitions=2)
    assert all("made" in what for _, what in create_topics(made))
    return made


def refusal(settings: Settings) -> str:
    with pytest.raises(NotReady) as caught:
        prepare(settings)
    return str(caught.value)


def test_a_clicks_topic_that_loses_clicks_or_believes_any_clock_is_refused_until_the_command_was_run(settings: Settings) -> None:
    clicks = f"{settings['app.name']}.clicks"
    admin = KafkaAdminClient(bootstrap_servers=settings["kafka.bootstrap"])

    def alter(**config: str) -> None:
        named = {name.replace("_", "."): value for name, value in config.items()}
        admin.alter_configs([ConfigResource(ConfigResourceType.TOPIC, clicks, named)])

    try:
        alter(cleanup_policy="compact", message_timestamp_type="CreateTime", message_timestamp_after_max_ms=str(2**63 - 1))
        text = refusal(settings)
        for command in ("cleanup.policy=delete", "message.timestamp.after.max.ms=3600000"):
            assert f"--alter --entity-type topics --entity-name {clicks} --add-config {command}" in text
        alter(cleanup_policy="delete", message_timestamp_after_max_ms="3600000")
        prepare(settings)
    finally:
        admin.close()


def test_partitions_added_to_clicks_get_one_finding_and_no_advice_to_delete(settings: Settings) -> None:
    prepare(settings)
    app = settings["app.name"]
    admin = KafkaAdminClient(bootstrap_servers=settings["kafka.bootstrap"])
    admin.create_partitions({f"{app}.clicks": 4})
    admin.close()
    for text in (refusal(settings), _of_topics_create(settings)):
        assert text.count("\n") == 0, text
        assert f"{app}.clicks has 4 partitions, app '{app}' was started with 2" in text
        assert f"CHURNWATCH_APP={app}-2 CHURNWATCH_TOPIC_PREFIX={app}-2. churnwatch topics create --partitions 4" in text
        assert "delete" not in text


def _of_topics_create(settings: Settings) -> str:
    with pytest.raises(NotReady) as caught:
        list(create_topics(settings))
    return str(caught.value)
