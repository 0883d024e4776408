"""A real Kafka behind TLS and SASL, and a real Redis behind TLS: everything runs over them, and what is set wrong is named at once."""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis
from aiokafka import TopicPartition

from features.store.redis import connect
from stream.demo.local_redis import LocalRedis, free_port
from stream.faults import ServerMissing
from stream.kafka.connection import Connection, admin, aio_consumer, aio_producer, connection_of, consumer, sender
from stream.kafka.reach import Unreachable, reach
from stream.kafka.security import Security
from stream.kafka.tls import in_words, names_of
from stream.processes.preflight import judge_redis
from stream.settings import load_settings
from tests.conftest import missing
from tests.faults.bench_world import World, made_up_log
from tests.servers.certificates import Certificates
from tests.servers.kafka import PASSWORD, USER, KafkaServer
from tests.servers.process import Program, wait_until
from tests.stream.test_security import jwt
from tests.stream.topics import make_topics

pytestmark = [pytest.mark.real_kafka, pytest.mark.real_redis, pytest.mark.timeout(180)]


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return Certificates(tmp_path_factory.mktemp("certificates"))


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, certificates: Certificates) -> Iterator[KafkaServer]:
    try:
        made = KafkaServer(tmp_path_factory.mktemp("secured-kafka"), certificates=certificates)
        made.start()
    except ServerMissing as error:
        missing(error)
    yield made
    made.kill()


@pytest.fixture(scope="module")
def token(certificates: Certificates) -> str:
    """A file with a token as Kafka's validator of unsecured tokens takes it."""
    file = certificates.folder / "token"
    file.write_text(jwt(exp=time.time() + 3600))
    return str(file)


MECHANISMS = ("PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512", "OAUTHBEARER from a file", "OAUTHBEARER from a command", "mTLS")


def environment(server: KafkaServer, certificates: Certificates, how: str, token: str) -> dict[str, str]:
    """What an operator sets for each way in."""
    found = {
        "CHURNWATCH_KAFKA": f"localhost:{server.mtls_port if how == 'mTLS' else server.sasl_port}",
        "CHURNWATCH_KAFKA_CA_FILE": certificates["ca.pem"],
        "CHURNWATCH_KAFKA_SECURITY_PROTOCOL": "SSL" if how == "mTLS" else "SASL_SSL",
    }
    if how == "mTLS":
        return found | {"CHURNWATCH_KAFKA_CERT_FILE": certificates["client.pem"], "CHURNWATCH_KAFKA_KEY_FILE": certificates["client.key"]}
    found["CHURNWATCH_KAFKA_SASL_MECHANISM"] = how.partition(" ")[0]
    if how.endswith("file"):
        return found | {"CHURNWATCH_KAFKA_TOKEN_FILE": token}
    if how.endswith("command"):
        return found | {"CHURNWATCH_KAFKA_TOKEN_COMMAND": f"cat {token}"}
    return found | {"CHURNWATCH_KAFKA_USER": USER, "CHURNWATCH_KAFKA_PASSWORD": PASSWORD}


@pytest.mark.parametrize("how", MECHANISMS)
async def test_all_three_libraries_get_in(server: KafkaServer, certificates: Certificates, token: str, app_name: str, how: str) -> None:
    place = connection_of(load_settings(None, environment(server, certificates, how, token)))
    reach(place)
    topic = make_topics(server.bootstrap, f"{app_name}.", 1)["clicks"]
    client = admin(place)
    assert topic in client.list_topics()
    client.close()
    confluent = sender(place, {})
    confluent.produce(topic, b"confluent-kafka")
    assert confluent.flush(20) == 0
    producer = aio_producer(place, transactional_id=app_name)
    await producer.start()
    async with producer.transaction():
        await producer.send_and_wait(topic, b"aiokafka")
    await producer.stop()
    reader = aio_consumer(place, enable_auto_commit=False)
    await reader.start()
    try:
        tp = TopicPartition(topic, 0)
        reader.assign([tp])
        reader.seek(tp, 0)
        assert [(await reader.getone()).value for _ in range(2)] == [b"confluent-kafka", b"aiokafka"]
    finally:
        await reader.stop()
    other = consumer(place, auto_offset_reset="earliest", enable_auto_commit=False)
    other.assign([tp])
    assert next(other).value == b"confluent-kafka"
    other.close()


WRONG = {
    "another CA": ("PLAIN", {"CA_FILE": "other_ca.pem"}, "is signed by nobody we trust", "set kafka.ca_file (CHURNWATCH_KAFKA_CA_FILE)"),
    "no CA": ("mTLS", {"CA_FILE": ""}, "is signed by nobody we trust", "set kafka.ca_file (CHURNWATCH_KAFKA_CA_FILE)"),
    "another host name": ("PLAIN", {"": "127.0.0.1"}, "is for another host name than 127.0.0.1", "in CHURNWATCH_KAFKA"),
    "a wrong password": ("PLAIN", {"PASSWORD": "canary"}, "did not take our PLAIN credentials", "CHURNWATCH_KAFKA_PASSWORD"),
    "a wrong password, SCRAM": ("SCRAM-SHA-512", {"PASSWORD": "canary"}, "our SCRAM-SHA-512 credentials", "CHURNWATCH_KAFKA_PASSWORD"),
    "a user that is not there": ("SCRAM-SHA-256", {"USER": "bob"}, "our SCRAM-SHA-256 credentials", "now 'bob'"),
    "no client certificate": ("mTLS", {"CERT_FILE": "", "KEY_FILE": ""}, "client certificate", "set kafka.cert_file (CHURNWATCH_KAFKA_CERT_FILE)"),
    "a stranger's certificate": ("mTLS", {"CERT_FILE": "stranger.pem", "KEY_FILE": "stranger.key"}, "our client certificate", "set kafka.cert_file"),
    "a token that is none": ("OAUTHBEARER from a command", {"TOKEN_COMMAND": "echo canary"}, "our OAUTHBEARER credentials", "kafka.token_file"),
    "no TLS towards TLS": ("PLAIN", {"SECURITY_PROTOCOL": "PLAINTEXT"}, "speaks TLS", "set it to SSL"),
    "no SASL towards SASL": ("PLAIN", {"SECURITY_PROTOCOL": "SSL"}, "asks for SASL", "PLAIN, SCRAM-SHA-256"),
    "SASL towards no SASL": ("PLAIN", {"": "mtls", "CERT_FILE": "client.pem", "KEY_FILE": "client.key"}, "asks for no SASL", "set it to SSL"),
    "TLS towards no TLS": ("PLAIN", {"": "plain"}, "no TLS is spoken there", "CHURNWATCH_KAFKA"),
}  # fmt: skip


@pytest.mark.parametrize("case", WRONG)
def test_what_is_set_wrong_is_named_within_seconds(server: KafkaServer, certificates: Certificates, token: str, case: str) -> None:
    how, changes, what, do = WRONG[case]
    given = environment(server, certificates, how, token)
    places = {
        "127.0.0.1": f"127.0.0.1:{server.sasl_port}",
        "mtls": f"localhost:{server.mtls_port}",
        "plain": f"localhost:{server.port}",
    }
    for name, value in changes.items():
        key = f"CHURNWATCH_KAFKA_{name}" if name else "CHURNWATCH_KAFKA"
        given[key] = certificates[value] if name.endswith("FILE") and value else places.get(value, value)
    if changes.get("SECURITY_PROTOCOL"):
        for name in ("SASL_MECHANISM", "USER", "PASSWORD", *(["CA_FILE"] if changes["SECURITY_PROTOCOL"] == "PLAINTEXT" else [])):
            given.pop(f"CHURNWATCH_KAFKA_{name}")
    began = time.monotonic()
    with pytest.raises(Unreachable) as caught:
        reach(connection_of(load_settings(None, given)))
    assert time.monotonic() - began < 8
    assert not caught.value.away
    assert what in caught.value.what + caught.value.do
    assert do in str(caught.value)
    assert "canary" not in str(caught.value)


def test_one_address_that_answers_is_enough(server: KafkaServer) -> None:
    reach(Connection(f"127.0.0.1:{free_port()},{server.bootstrap}"))
    with pytest.raises(Unreachable, match="CHURNWATCH_KAFKA") as caught:
        reach(Connection(f"127.0.0.1:{free_port()}"))
    assert caught.value.away
    with pytest.raises(Unreachable, match="speaks TLS"):
        reach(Connection(f"localhost:{server.sasl_port},127.0.0.1:{free_port()}", Security()))


def test_every_command_names_it(server: KafkaServer, certificates: Certificates, token: str, own_redis: LocalRedis, tmp_path: Path) -> None:
    file = tmp_path / "events.jsonl"
    file.write_text(json.dumps({"user": "ann", "ts": int(time.time() * 1000), "type": "click"}) + "\n")
    given = {
        **environment(server, certificates, "SCRAM-SHA-512", token),
        "CHURNWATCH_KAFKA_PASSWORD": "canary",
        "CHURNWATCH_REDIS": own_redis.url,
        "CHURNWATCH_WEB": "",
    }
    commands = ("run", "train", "topics create", "alerts tail", "dlq ls", f"ingest {file}")
    programs = {command: Program(command.split(), given, tmp_path / f"{number}.log") for number, command in enumerate(commands)}
    for command, program in programs.items():
        assert program.process.wait(60) == 2, f"{command}: {program.text()}"
        assert "did not take our SCRAM-SHA-512 credentials" in program.text(), command
        assert "CHURNWATCH_KAFKA_PASSWORD" in program.text(), command
        assert "canary" not in program.text(), command
        assert "Traceback" not in program.text(), command


@pytest.mark.parametrize("how", ["SCRAM-SHA-512", "mTLS"])
def test_from_topics_to_alerts_all_goes_over_it(
    server: KafkaServer, certificates: Certificates, token: str, own_redis: LocalRedis, app_name: str, tmp_path: Path, how: str
) -> None:
    world = World(server.bootstrap, own_redis.url, app_name, tmp_path)
    world.environment |= environment(server, certificates, how, token) | {"CHURNWATCH_TOPIC_PREFIX": f"{app_name}.s."}
    world.topics = {name: f"{app_name}.s.{name}" for name in world.topics}
    try:
        created = world.start("topics", "create")
        assert created.process.wait(60) == 0, created.text()
        assert "made, 4 partition(s)" in created.text()
        file = tmp_path / "events.jsonl"
        file.write_bytes(b"".join(value + b"\n" for _, value in made_up_log(3_000, 200, 9.0, seed=3) if value != b"{broken"))
        sent = file.read_bytes().count(b"\n")
        ingested = world.start("ingest", str(file))
        assert ingested.process.wait(90) == 0, ingested.text()
        worker, trainer = world.start(), world.start("train")
        tail = world.start("alerts", "tail", "--from-beginning", "-n", "1", "--json")
        world.wait_taken(sent, 90)
        assert tail.process.wait(60) == 0, tail.text()
        assert '"type":"opened"' in tail.text()
        wait_until(lambda: "reading examples" in trainer.text(), 60, "the trainer reads", trainer.text)
        assert [worker.terminate(), trainer.terminate()] == [0, 0]
    finally:
        world.stop_all()


@pytest.fixture
def redis_by_tls(certificates: Certificates, tmp_path: Path) -> Iterator[int]:
    """Port of a Redis that speaks TLS only and asks for a client certificate."""
    made = LocalRedis(tmp_path / "tls-redis")
    port = free_port()
    made.folder.mkdir()
    command = [
        made._binary, "--port", "0", "--tls-port", str(port), "--bind", "127.0.0.1", "--dir", str(made.folder), "--maxmemory-policy", "noeviction",
        "--tls-cert-file", certificates["server.pem"], "--tls-key-file", certificates["server.key"], "--tls-ca-cert-file", certificates["ca.pem"],
    ]  # fmt: skip
    log = made.folder / "redis.log"
    with log.open("wb") as file:
        process = subprocess.Popen(command, stdout=file, stderr=file)
    try:
        wait_until(lambda: b"Ready to accept" in log.read_bytes() or process.poll() is not None, 20, "Redis is up", log.read_text)
        if process.poll() is not None:
            pytest.skip(f"this redis-server was built without TLS: {log.read_text()[-200:]}")
        yield port
    finally:
        process.kill()
        process.wait()


def test_redis_by_tls(redis_by_tls: int, certificates: Certificates, tmp_path: Path) -> None:
    address = f"rediss://localhost:{redis_by_tls}"
    pair = {"CHURNWATCH_REDIS_CERT_FILE": certificates["client.pem"], "CHURNWATCH_REDIS_KEY_FILE": certificates["client.key"]}
    whole = {"CHURNWATCH_REDIS": address, "CHURNWATCH_REDIS_CA_FILE": certificates["ca.pem"], **pair}

    def found(**changes: str) -> list[str]:
        given = {**whole, **{f"CHURNWATCH_REDIS{name}": value for name, value in changes.items()}}
        return [str(one) for one in judge_redis(connect(load_settings(None, given)["redis.url"]))]

    assert not [one for one in found() if "TLS" in one]
    assert connect(load_settings(None, whole)["redis.url"]).ping()
    assert "set redis.ca_file (CHURNWATCH_REDIS_CA_FILE)" in found(_CA_FILE=certificates["other_ca.pem"])[0]
    assert "is for another host name" in found(**{"": f"rediss://127.0.0.1:{redis_by_tls}"})[0]
    stranger = {"_CERT_FILE": certificates["stranger.pem"], "_KEY_FILE": certificates["stranger.key"]}
    assert "set redis.cert_file (CHURNWATCH_REDIS_CERT_FILE)" in found(**stranger)[0]
    assert "set redis.cert_file (CHURNWATCH_REDIS_CERT_FILE)" in found(_CERT_FILE="", _KEY_FILE="")[0]
    # commands that only read Redis say the same
    program = Program(["user", "ann"], {**whole, "CHURNWATCH_REDIS_CA_FILE": certificates["other_ca.pem"]}, tmp_path / "user.log")
    assert program.process.wait(60) == 2
    assert "set redis.ca_file (CHURNWATCH_REDIS_CA_FILE)" in program.text()
    with pytest.raises(redis.RedisError) as caught:
        connect(f"rediss://localhost:{redis_by_tls}").ping()
    assert in_words(caught.value, names_of("redis")) is not None
