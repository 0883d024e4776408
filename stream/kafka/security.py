"""How a connection to Kafka is secured: one value, and what each of the three client libraries calls it. Pure.

Files are named here, not read; `stream.kafka.connection` reads them and makes the clients.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from stream.settings import Settings


@dataclass(frozen=True, slots=True)
class Security:
    """One deployment's security.

    Attributes
    ----------
    protocol : {"PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"}
    ca_file : str
        Certificates of the authorities that may vouch for a broker, PEM; empty: those of the system.
    cert_file, key_file, key_password : str
        Our own certificate, for brokers that ask for one; empty: none.
    mechanism : {"", "PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512", "OAUTHBEARER"}
    user, password : str
        For PLAIN and SCRAM.
    token_file, token_command : str
        Where OAUTHBEARER gets its token.
    """

    protocol: str = "PLAINTEXT"
    ca_file: str = ""
    cert_file: str = ""
    key_file: str = ""
    key_password: str = field(default="", repr=False)
    mechanism: str = ""
    user: str = ""
    password: str = field(default="", repr=False)
    token_file: str = ""
    token_command: str = ""

    @property
    def tls(self) -> bool:
        """Whether the connection is encrypted."""
        return self.protocol.endswith("SSL")

    @property
    def sasl(self) -> bool:
        """Whether we say who we are by SASL."""
        return self.protocol.startswith("SASL")

    def python(self, context: Any, provider: Any) -> dict[str, Any]:
        """Return keyword arguments for clients of aiokafka and of kafka-python, which name them alike.

        Parameters
        ----------
        context : ssl.SSLContext or None
            Made from our files; the host's name is checked by it.
        provider : token provider of the library, or None

        >>> Security().python(None, None)
        {'security_protocol': 'PLAINTEXT'}
        >>> sorted(Security("SASL_SSL", mechanism="PLAIN", user="ann", password="p").python("context", None))
        ['sasl_mechanism', 'sasl_plain_password', 'sasl_plain_username', 'security_protocol', 'ssl_context']
        """
        found: dict[str, Any] = {"security_protocol": self.protocol}
        if self.tls:
            found["ssl_context"] = context
        if self.sasl:
            found["sasl_mechanism"] = self.mechanism
            if self.mechanism == "OAUTHBEARER":
                found["sasl_oauth_token_provider"] = provider
            else:
                found |= {"sasl_plain_username": self.user, "sasl_plain_password": self.password}
        return found

    def librdkafka(self, oauth: Callable[[str], tuple[str, float]]) -> dict[str, Any]:
        """Return the configuration for clients of confluent-kafka.

        Parameters
        ----------
        oauth : callable
            Returns a token, and when it ends in s since the epoch; the library asks again before that.

        >>> Security("SSL", ca_file="ca.pem").librdkafka(None)  # doctest: +NORMALIZE_WHITESPACE
        {'security.protocol': 'SSL', 'ssl.endpoint.identification.algorithm': 'https', 'ssl.ca.location': 'ca.pem'}
        >>> Security().librdkafka(None)
        {}
        """
        if self.protocol == "PLAINTEXT":
            return {}
        found: dict[str, Any] = {"security.protocol": self.protocol}
        if self.tls:
            found["ssl.endpoint.identification.algorithm"] = "https"
            named = {
                "ssl.ca.location": self.ca_file,
                "ssl.certificate.location": self.cert_file,
                "ssl.key.location": self.key_file,
                "ssl.key.password": self.key_password,
            }
            found |= {name: value for name, value in named.items() if value}
        if self.sasl:
            found["sasl.mechanism"] = self.mechanism
            if self.mechanism == "OAUTHBEARER":
                found["oauth_cb"] = oauth
            else:
                found |= {"sasl.username": self.user, "sasl.password": self.password}
        return found


def security_of(settings: Settings | Mapping[str, Any]) -> Security:
    """Return the security that the settings describe."""
    return Security(
        protocol=settings["kafka.security_protocol"],
        ca_file=settings["kafka.ca_file"],
        cert_file=settings["kafka.cert_file"],
        key_file=settings["kafka.key_file"] or settings["kafka.cert_file"],
        key_password=settings["kafka.key_password"],
        mechanism=settings["kafka.sasl_mechanism"],
        user=settings["kafka.user"],
        password=settings["kafka.password"],
        token_file=settings["kafka.token_file"],
        token_command=settings["kafka.token_command"],
    )
