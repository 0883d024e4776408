"""Whether Kafka can be reached with the present settings: one try at each address, and one sentence with what is wrong and which setting mends it.

A try goes through TCP, then TLS, then Kafka's own first words (which versions, which SASL), then the credentials. The first words are spoken
here and not by a client library, because the libraries turn the reason that OpenSSL gives into "connection closed".
"""

from __future__ import annotations

import asyncio
import ssl
import struct
import threading
from typing import Any

from stream.faults import UsageFault
from stream.kafka.connection import Connection, tls_context
from stream.kafka.tls import in_words, names_of

PATIENCE_S = 5.0
_API_VERSIONS, _SASL_HANDSHAKE = 18, 17
_NO_SASL_HERE, _OTHER_MECHANISM = 34, 33


class Unreachable(UsageFault):
    """Kafka cannot be reached.

    Attributes
    ----------
    what, do : str
        What is wrong, and what to do.
    away : bool
        Whether nobody is there, so that a later try may succeed. Otherwise TLS or SASL is in the way, and a person must mend it.
    """

    def __init__(self, what: str, do: str, *, away: bool = False) -> None:
        super().__init__(f"{what}: {do}")
        self.what, self.do, self.away = what, do, away


def reach(connection: Connection) -> None:
    """Try each address until one can be reached. It may be called within a running event loop, which it blocks meanwhile.

    Raises
    ------
    Unreachable
        No address can be reached. The error is about the last address where somebody answered, or else about the last one.
    UsageFault
        There is no token.
    """
    failed: list[BaseException] = []

    def work() -> None:
        try:
            asyncio.run(_reach(connection))
        except Exception as error:  # noqa: BLE001 - carried out of the thread
            failed.append(error)

    thread = threading.Thread(target=work, name="kafka-reach")
    thread.start()
    thread.join()
    if failed:
        raise failed[0]


async def _reach(connection: Connection) -> None:
    fault: Unreachable | None = None
    for address in connection.bootstrap.split(","):
        try:
            await _try(connection, address)
        except Unreachable as error:
            fault = error if fault is None or not error.away else fault
        else:
            return
    if fault is not None:
        raise fault


async def _try(connection: Connection, address: str) -> None:
    host, port = address.rsplit(":", 1)
    host = host.strip("[]")
    security, names = connection.security, names_of("kafka")
    try:
        async with asyncio.timeout(PATIENCE_S):
            answer = await _first_words(host, int(port), tls_context(security), security.mechanism if security.sasl else "-")
    except ssl.SSLError as error:
        what = f"Kafka at {address} cannot be reached with kafka.security_protocol {security.protocol}"
        raise Unreachable(what, in_words(error, names, host) or str(error)) from None
    except (OSError, TimeoutError, EOFError, OverflowError) as error:
        raise await _hung_up(connection, address, host, int(port), error) from None
    _judge_mechanism(connection, address, answer)
    if security.sasl:
        await _log_in(connection, address, host, int(port))


async def _hung_up(connection: Connection, address: str, host: str, port: int, error: Exception) -> Unreachable:
    """Return why there was no answer: nobody is there, or a broker waits for TLS or for a client certificate."""
    security = connection.security
    somebody = isinstance(error, EOFError | ConnectionResetError | BrokenPipeError | TimeoutError)
    if somebody and not security.tls and await _speaks_tls(host, port):
        wanted = "SASL_SSL" if security.sasl else "SSL"
        what = f"Kafka at {address} speaks TLS, kafka.security_protocol is {security.protocol}"
        return Unreachable(what, f"set it to {wanted} (CHURNWATCH_KAFKA_SECURITY_PROTOCOL)")
    names = names_of("kafka")
    if somebody and security.tls and not await _speaks_tls(host, port):
        what = f"Kafka at {address} cannot be reached with kafka.security_protocol {security.protocol}"
        return Unreachable(what, f"no TLS is spoken there: give the address of a TLS listener in {names.where}, or turn TLS off")
    if somebody and security.tls and not isinstance(error, TimeoutError):
        given = "did not take our client certificate" if security.cert_file else "asks for a client certificate"
        what = f"Kafka at {address} closed the connection after the TLS handshake: it {given}"
        return Unreachable(what, f"set {names.cert_file} and {names.key_file} to a pair that its CA has signed")
    what = f"no Kafka at {connection.bootstrap} ({type(error).__name__})"
    return Unreachable(what, "start it, or set CHURNWATCH_KAFKA", away=True)


async def _speaks_tls(host: str, port: int) -> bool:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE  # nothing is sent over it: this only asks whether TLS is spoken
    try:
        async with asyncio.timeout(PATIENCE_S):
            _, writer = await asyncio.open_connection(host, port, ssl=context)
    except (OSError, TimeoutError):
        return False
    writer.close()
    return True


async def _first_words(host: str, port: int, context: ssl.SSLContext | None, mechanism: str) -> tuple[int, list[str]]:
    """Ask for the versions, then for SASL; return the error code of the answer and the mechanisms on offer.

    A broker may refuse a certificate only after the handshake; the first question brings that to light.
    """
    reader, writer = await asyncio.open_connection(host, port, ssl=context, server_hostname=host if context else None)
    try:
        if not _knows(await _ask(reader, writer, _API_VERSIONS, 0, b""), _SASL_HANDSHAKE):
            return _NO_SASL_HERE, []  # such as the demo's broker, which closes the connection at a question that it does not know
        name = mechanism.encode()
        answer = await _ask(reader, writer, _SASL_HANDSHAKE, 1, struct.pack(">h", len(name)) + name)
    finally:
        writer.close()
    code, count = struct.unpack_from(">hi", answer, 0)
    at, found = 6, []
    for _ in range(max(0, count)):
        (size,) = struct.unpack_from(">h", answer, at)
        found.append(answer[at + 2 : at + 2 + size].decode())
        at += 2 + size
    return code, found


def _knows(versions: bytes, key: int) -> bool:
    """Whether a broker that answered so to the question for versions knows another question.

    >>> _knows(bytes.fromhex("0000 00000002 0012 0000 0003 0011 0000 0001"), 17), _knows(bytes.fromhex("0000 00000001 0012 0000 0003"), 17)
    (True, False)
    """
    try:
        (count,) = struct.unpack_from(">i", versions, 2)
        return any(struct.unpack_from(">h", versions, 6 + 6 * number)[0] == key for number in range(count))
    except struct.error:
        raise EOFError("no Kafka protocol") from None


async def _ask(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, key: int, version: int, body: bytes) -> bytes:
    client = b"churnwatch"
    head = struct.pack(">hhih", key, version, 1, len(client)) + client
    writer.write(struct.pack(">i", len(head) + len(body)) + head + body)
    (size,) = struct.unpack(">i", await reader.readexactly(4))
    if not 4 <= size <= 1 << 20:
        raise EOFError("no Kafka protocol")
    return (await reader.readexactly(size))[4:]


def _judge_mechanism(connection: Connection, address: str, answer: tuple[int, list[str]]) -> None:
    security, (code, mechanisms) = connection.security, answer
    known = ", ".join(sorted(mechanisms))
    if security.sasl and code == _NO_SASL_HERE:
        plain = "SSL" if security.tls else "PLAINTEXT"
        raise Unreachable(
            f"Kafka at {address} asks for no SASL, kafka.security_protocol is {security.protocol}",
            f"set it to {plain}, or give the address of a SASL listener",
        )
    if not security.sasl and code == _OTHER_MECHANISM:
        wanted = "SASL_SSL" if security.tls else "SASL_PLAINTEXT"
        do = f"set it to {wanted} (CHURNWATCH_KAFKA_SECURITY_PROTOCOL) and kafka.sasl_mechanism to one of {known}"
        raise Unreachable(f"Kafka at {address} asks for SASL, kafka.security_protocol is {security.protocol}", do)
    if security.sasl and code == _OTHER_MECHANISM:
        do = f"set it (CHURNWATCH_KAFKA_SASL_MECHANISM) to one of {known}"
        raise Unreachable(f"Kafka at {address} does not take kafka.sasl_mechanism {security.mechanism}", do)


async def _log_in(connection: Connection, address: str, host: str, port: int) -> None:
    from aiokafka.conn import create_conn
    from aiokafka.protocol.metadata import MetadataRequest

    security = connection.security
    options: dict[str, Any] = connection.aiokafka()
    del options["bootstrap_servers"]
    try:
        line = await create_conn(host, port, request_timeout_ms=int(PATIENCE_S * 1000), **options)
        try:
            # a refused token is answered by a challenge, which aiokafka takes for success; the broker then shows no brokers
            if not (await line.send(MetadataRequest([]))).brokers:
                raise PermissionError("the token was refused")
        finally:
            line.close()
    except UsageFault:
        raise
    except Exception as error:  # noqa: BLE001 - a wrong signature in SCRAM is a ValueError, other refusals are Kafka's
        what = f"Kafka at {address} did not take our {security.mechanism} credentials ({str(error) or type(error).__name__})"
        if security.mechanism == "OAUTHBEARER":
            do = "look at the token of kafka.token_file or kafka.token_command: whom it is for, who signed it, when it ends"
        else:
            do = f"set kafka.user (CHURNWATCH_KAFKA_USER, now {security.user!r}) and CHURNWATCH_KAFKA_PASSWORD"
        raise Unreachable(what, do) from None
