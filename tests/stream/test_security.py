"""How Kafka and Redis are reached: what cannot work is refused before anything connects, with the setting that mends it."""

from __future__ import annotations

import base64
import json
import ssl
import time
from pathlib import Path
from typing import Any

import pytest

from stream.faults import UsageFault
from stream.kafka.connection import Connection, connection_of
from stream.kafka.security import Security
from stream.kafka.tls import file_faults
from stream.kafka.token import TokenSource
from stream.settings import SettingsError, load_settings
from tests.servers.certificates import KEY_PASSWORD, Certificates

SCRAM = {"CHURNWATCH_KAFKA_SASL_MECHANISM": "SCRAM-SHA-512", "CHURNWATCH_KAFKA_USER": "ann", "CHURNWATCH_KAFKA_PASSWORD": "canary"}
PLAIN = {**SCRAM, "CHURNWATCH_KAFKA_SASL_MECHANISM": "PLAIN"}
PROTOCOL = "CHURNWATCH_KAFKA_SECURITY_PROTOCOL"


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return Certificates(tmp_path_factory.mktemp("certificates"))


def test_each_library_is_told_the_same(certificates: Certificates) -> None:
    environment = {
        **SCRAM,
        PROTOCOL: "SASL_SSL",
        "CHURNWATCH_KAFKA": "a:1,b:2",
        "CHURNWATCH_KAFKA_CA_FILE": certificates["ca.pem"],
        "CHURNWATCH_KAFKA_CERT_FILE": certificates["client.pem"],
        "CHURNWATCH_KAFKA_KEY_FILE": certificates["client.key"],
    }
    settings = load_settings(None, environment)
    assert "canary" not in repr(settings)
    connection = connection_of(settings)
    assert "canary" not in repr(connection)
    python = connection.aiokafka()
    context = python.pop("ssl_context")
    assert isinstance(context, ssl.SSLContext)
    assert (context.check_hostname, context.verify_mode) == (True, ssl.CERT_REQUIRED)
    assert python == {
        "bootstrap_servers": ["a:1", "b:2"],
        "security_protocol": "SASL_SSL",
        "sasl_mechanism": "SCRAM-SHA-512",
        "sasl_plain_username": "ann",
        "sasl_plain_password": "canary",
    }
    assert connection.kafka_python().keys() == python.keys() | {"ssl_context"}
    assert connection.librdkafka() == {
        "bootstrap.servers": "a:1,b:2",
        "security.protocol": "SASL_SSL",
        "ssl.endpoint.identification.algorithm": "https",
        "ssl.ca.location": certificates["ca.pem"],
        "ssl.certificate.location": certificates["client.pem"],
        "ssl.key.location": certificates["client.key"],
        "sasl.mechanism": "SCRAM-SHA-512",
        "sasl.username": "ann",
        "sasl.password": "canary",
    }


def test_nothing_set_is_plain() -> None:
    assert Connection("a:1").librdkafka() == {"bootstrap.servers": "a:1"}
    assert Connection("a:1").aiokafka() == {"bootstrap_servers": ["a:1"], "security_protocol": "PLAINTEXT"}


@pytest.mark.parametrize(
    ("environment", "said"),
    [
        ({PROTOCOL: "SASL_TLS"}, "did you mean SASL_SSL"),
        ({PROTOCOL: "SASL_SSL"}, "kafka.sasl_mechanism: one of PLAIN"),
        ({PROTOCOL: "SASL_SSL", "CHURNWATCH_KAFKA_SASL_MECHANISM": "SCRAM-SHA-1"}, "did you mean SCRAM-SHA-"),
        ({PROTOCOL: "SASL_SSL", "CHURNWATCH_KAFKA_SASL_MECHANISM": "PLAIN"}, "CHURNWATCH_KAFKA_PASSWORD"),
        ({PROTOCOL: "SASL_SSL", "CHURNWATCH_KAFKA_SASL_MECHANISM": "OAUTHBEARER"}, "kafka.token_command"),
        (SCRAM, "PLAINTEXT sends no user"),
        ({**SCRAM, PROTOCOL: "SSL"}, "set it to SASL_SSL"),
        ({"CHURNWATCH_KAFKA_CA_FILE": "ca.pem"}, "set it to SSL or SASL_SSL"),
        ({PROTOCOL: "SSL", "CHURNWATCH_KAFKA_KEY_FILE": "a.key"}, "without its certificate"),
        ({**PLAIN, PROTOCOL: "SASL_PLAINTEXT", "CHURNWATCH_KAFKA": "kafka.example:9092"}, "PLAIN over SASL_PLAINTEXT"),
        ({**PLAIN, PROTOCOL: "SASL_PLAINTEXT", "CHURNWATCH_KAFKA": "127.0.0.1:1,10.0.0.1:1"}, "PLAIN over SASL_PLAINTEXT"),
        ({"CHURNWATCH_REDIS_CA_FILE": "ca.pem"}, "TLS is rediss://"),
    ],
)
def test_settings_that_cannot_work_are_a_fault_with_what_to_set(environment: dict[str, str], said: str) -> None:
    with pytest.raises(SettingsError) as caught:
        load_settings(None, environment)
    assert said in str(caught.value)
    assert "canary" not in str(caught.value)


@pytest.mark.parametrize("kafka", ["127.0.0.1:9092", "localhost:9092,[::1]:9092"])
def test_plain_on_loopback_and_scram_anywhere_may_go_unencrypted(kafka: str) -> None:
    assert load_settings(None, {**PLAIN, PROTOCOL: "SASL_PLAINTEXT", "CHURNWATCH_KAFKA": kafka})["kafka.user"] == "ann"
    assert load_settings(None, {**SCRAM, PROTOCOL: "SASL_PLAINTEXT", "CHURNWATCH_KAFKA": "kafka.example:1"})["kafka.user"] == "ann"


def test_the_files_of_redis_go_into_its_address() -> None:
    environment = {
        "CHURNWATCH_REDIS": "rediss://h:1/0",
        "CHURNWATCH_REDIS_CA_FILE": "/a b/ca.pem",
        "CHURNWATCH_REDIS_CERT_FILE": "c.pem",
        "CHURNWATCH_REDIS_KEY_PASSWORD": "p&q",
    }
    url = load_settings(None, environment)["redis.url"]
    assert url == "rediss://h:1/0?ssl_ca_certs=%2Fa%20b%2Fca.pem&ssl_certfile=c.pem&ssl_password=p%26q"


@pytest.mark.parametrize(
    ("ca", "cert", "key", "password", "said"),
    [
        ("ca.pem", "client.pem", "client.key", "", None),
        ("ca.pem", "client.pem", "locked.key", KEY_PASSWORD, None),
        ("", "server_and_key.pem", "", "", None),
        ("nowhere.pem", "", "", "", "kafka.ca_file (CHURNWATCH_KAFKA_CA_FILE): no file"),
        ("ca.key", "", "", "", "kafka.ca_file (CHURNWATCH_KAFKA_CA_FILE)"),
        ("ca.pem", "client.pem", "nowhere.key", "", "kafka.key_file (CHURNWATCH_KAFKA_KEY_FILE): no file"),
        ("ca.pem", "client.pem", "server.key", "", "does not belong to the certificate"),
        ("ca.pem", "client.key", "client.key", "", "holds no certificate"),
        ("ca.pem", "client.pem", "client.csr", "", "holds no private key"),
        ("ca.pem", "client.pem", "locked.key", "wrong", "kafka.key_password (CHURNWATCH_KAFKA_KEY_PASSWORD)"),
        ("ca.pem", "client.pem", "locked.key", "", "the password is wrong, or missing"),
        ("ca.pem", "expired.pem", "expired.key", "", "expired on"),
    ],
)
def test_certificates_and_keys_that_cannot_be_used_are_named(
    certificates: Certificates, ca: str, cert: str, key: str, password: str, said: str | None
) -> None:
    files = (certificates[name] if name else "" for name in (ca, cert, key))
    found = file_faults("kafka", *files, password)
    assert len(found) == (said is not None), found
    assert said is None or said in found[0]


def jwt(**claims: Any) -> str:
    parts = ({"alg": "none"}, {"sub": "ann", "iat": time.time(), **claims})
    return ".".join(base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in parts) + "."


def test_a_token_is_read_again_before_it_ends(tmp_path: Path) -> None:
    file = tmp_path / "token"
    source = TokenSource(Security("SASL_SSL", mechanism="OAUTHBEARER", token_file=str(file)))
    with pytest.raises(UsageFault, match=r"CHURNWATCH_KAFKA_TOKEN_FILE.*No such file"):
        source.token()
    file.write_text(jwt(exp=time.time() + 3600) + "\n")
    first, end_s = source.with_end()
    assert 3500 < end_s - time.time() <= 3600
    second = jwt(exp=time.time() + 7200)
    file.write_text(second)
    assert source.token() == first, "it holds for long yet"
    source._renew_s = 0.0
    assert source.token() == second
    file.write_text(jwt(exp=time.time() - 10))
    source._renew_s = 0.0
    with pytest.raises(UsageFault, match="must be renewed"):
        source.token()


def test_a_command_gives_a_token_or_is_named_without_what_it_printed() -> None:
    def token(command: str) -> str:
        return TokenSource(Security("SASL_SSL", mechanism="OAUTHBEARER", token_command=command)).token()

    assert token("echo opaque") == "opaque"
    with pytest.raises(UsageFault, match=r"CHURNWATCH_KAFKA_TOKEN_COMMAND.*code 3") as caught:
        token("sh -c 'echo canary; echo canary >&2; exit 3'")
    assert "canary" not in str(caught.value)
    with pytest.raises(UsageFault, match="did not run"):
        token("no-such-command-here")
    with pytest.raises(UsageFault, match="gives no token"):
        token("echo two words")
