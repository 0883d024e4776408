"""The only place where Kafka clients are made: of aiokafka (workers, trainer), kafka-python (commands) and confluent-kafka (bulk sending).

Each client gets its address and its security from one `Connection`, so that what is set is set for all. `stream.kafka.reach` says what stands
against a connection before any client tries, since each library reports a wrong certificate or password in its own way, late, or not at all.
"""

from __future__ import annotations

import asyncio
import ssl
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from stream.kafka.security import Security, security_of
from stream.kafka.token import TokenSource
from stream.settings import Settings

if TYPE_CHECKING:
    from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
    from confluent_kafka import Producer
    from kafka import KafkaConsumer
    from kafka.admin import KafkaAdminClient


@dataclass(frozen=True, slots=True)
class Connection:
    """Where Kafka is, and how a connection to it is secured.

    Attributes
    ----------
    bootstrap : str
        host:port, several with commas.
    """

    bootstrap: str
    security: Security = field(default_factory=Security)

    def aiokafka(self) -> dict[str, Any]:
        """Return the options of every aiokafka client."""
        security = self.security
        provider = _aio_provider(TokenSource(security)) if security.mechanism == "OAUTHBEARER" else None
        return {"bootstrap_servers": self.bootstrap.split(","), **security.python(tls_context(security), provider)}

    def kafka_python(self) -> dict[str, Any]:
        """Return the options of every kafka-python client."""
        security = self.security
        provider = _provider(TokenSource(security)) if security.mechanism == "OAUTHBEARER" else None
        return {"bootstrap_servers": self.bootstrap.split(","), **security.python(tls_context(security), provider)}

    def librdkafka(self) -> dict[str, Any]:
        """Return the options of every confluent-kafka client."""
        source = TokenSource(self.security)
        return {"bootstrap.servers": self.bootstrap, **self.security.librdkafka(lambda _config: source.with_end())}


def connection_of(settings: Settings) -> Connection:
    """Return the connection that the settings describe."""
    return Connection(settings["kafka.bootstrap"], security_of(settings))


def tls_context(security: Security) -> ssl.SSLContext | None:
    """Return a context that checks the broker's certificate and its host name; None without TLS."""
    if not security.tls:
        return None
    context = ssl.create_default_context(cafile=security.ca_file or None)
    if security.cert_file:
        context.load_cert_chain(security.cert_file, security.key_file or None, password=lambda: security.key_password)
    return context


def aio_consumer(connection: Connection, *topics: str, **options: Any) -> AIOKafkaConsumer:
    """Return an aiokafka consumer, not started."""
    from aiokafka import AIOKafkaConsumer

    return AIOKafkaConsumer(*topics, **connection.aiokafka(), **options)


def aio_producer(connection: Connection, **options: Any) -> AIOKafkaProducer:
    """Return an aiokafka producer, not started."""
    from aiokafka import AIOKafkaProducer

    return AIOKafkaProducer(**connection.aiokafka(), **options)


def consumer(connection: Connection, **options: Any) -> KafkaConsumer:
    """Return a kafka-python consumer."""
    from kafka import KafkaConsumer

    return KafkaConsumer(**connection.kafka_python(), **options)


def admin(connection: Connection, **options: Any) -> KafkaAdminClient:
    """Return a kafka-python admin client."""
    from kafka.admin import KafkaAdminClient

    return KafkaAdminClient(**connection.kafka_python(), **options)


def sender(connection: Connection, options: dict[str, Any]) -> Producer:
    """Return a confluent-kafka producer."""
    from confluent_kafka import Producer

    return Producer({**connection.librdkafka(), **options})


def mock_cluster() -> Producer:
    """Return a confluent-kafka producer that is a broker itself, on loopback and in memory; for the demo."""
    from confluent_kafka import Producer

    return Producer({"test.mock.num.brokers": 1, "log_level": 2})


def _aio_provider(source: TokenSource) -> Any:
    from aiokafka.abc import AbstractTokenProvider

    class Provider(AbstractTokenProvider):  # type: ignore[misc]  # aiokafka has no types
        async def token(self) -> str:
            return await asyncio.to_thread(source.token)

    return Provider()


def _provider(source: TokenSource) -> Any:
    from kafka.net.sasl.oauth import AbstractTokenProvider

    class Provider(AbstractTokenProvider):  # type: ignore[misc]  # kafka-python has no types
        def token(self) -> str:
            return source.token()

    return Provider()
