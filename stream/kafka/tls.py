"""TLS in words: certificates that cannot be used are found before the start, and a handshake that failed is explained with the setting that mends it.

Kafka and Redis share this; `Names` says what the settings of each are called.
"""

from __future__ import annotations

import ssl
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple


class Names(NamedTuple):
    """What the settings of one server are called."""

    ca_file: str
    cert_file: str
    key_file: str
    key_password: str
    where: str
    """The setting that holds its address."""


def names_of(section: str) -> Names:
    """Return the names of a section's settings.

    >>> names_of("redis").ca_file
    'redis.ca_file (CHURNWATCH_REDIS_CA_FILE)'
    """
    env = f"CHURNWATCH_{section.upper()}"
    return Names(
        ca_file=f"{section}.ca_file ({env}_CA_FILE)",
        cert_file=f"{section}.cert_file ({env}_CERT_FILE)",
        key_file=f"{section}.key_file ({env}_KEY_FILE)",
        key_password=f"{section}.key_password ({env}_KEY_PASSWORD)",
        where=env,
    )


def file_faults(section: str, ca_file: str, cert_file: str, key_file: str, key_password: str) -> list[str]:
    """Return what is wrong with certificates and key, each with what to do; empty when all is well.

    Parameters
    ----------
    section : {"kafka", "redis"}
    ca_file, cert_file, key_file, key_password : str
        Paths and password as they are set; empty where they are not.
    """
    names = names_of(section)
    given = ((names.ca_file, ca_file), (names.cert_file, cert_file), (names.key_file, key_file))
    faults = [f"{name}: no file {path} that can be read" for name, path in given if path and not _readable(path)]
    if faults:
        return faults
    if ca_file:
        try:
            ssl.create_default_context(cafile=ca_file)
        except ssl.SSLError:
            faults.append(f"{names.ca_file}: {ca_file} holds no certificate in PEM form")
    if cert_file:
        faults += _pair_faults(names, cert_file, key_file, key_password)
    for name, path in given[:2]:
        if path and not faults and (ended := _ended(path)):
            faults.append(f"{name}: the certificate in {path} {ended}: replace it")
    return faults


def _readable(path: str) -> bool:
    try:
        Path(path).read_bytes()
    except OSError:
        return False
    return True


def _pair_faults(names: Names, cert_file: str, key_file: str, password: str) -> list[str]:
    try:
        # an empty password, never None: for None OpenSSL would ask on the terminal
        ssl.create_default_context().load_cert_chain(cert_file, key_file or None, password=lambda: password)
    except ssl.SSLError as error:
        if error.reason == "KEY_VALUES_MISMATCH":
            return [f"{names.key_file}: the key in {key_file or cert_file} does not belong to the certificate in {cert_file}"]
        if "-----BEGIN CERTIFICATE" not in Path(cert_file).read_text(errors="replace"):
            return [f"{names.cert_file}: {cert_file} holds no certificate in PEM form"]
        if "PRIVATE KEY-----" not in Path(key_file or cert_file).read_text(errors="replace"):
            return [f"{names.key_file}: {key_file or cert_file} holds no private key in PEM form"]
        return [f"{names.key_password}: the key in {key_file or cert_file} cannot be opened: the password is wrong, or missing"]
    return []


def _ended(path: str) -> str:
    """Say why the first certificate of a file is not valid now; empty when it is valid."""
    found = ssl._ssl._test_decode_cert(path)  # type: ignore[attr-defined]  # noqa: SLF001 - the standard library has no public way to read a certificate's dates
    now_s = time.time()
    if ssl.cert_time_to_seconds(found["notAfter"]) < now_s:
        return f"expired on {found['notAfter']}"
    if ssl.cert_time_to_seconds(found["notBefore"]) > now_s:
        return f"is not valid before {found['notBefore']}"
    return ""


_OURS = {
    "CERTIFICATE_REQUIRED": "it asks for a client certificate",
    "BAD_CERTIFICATE": "it did not take our client certificate, or asks for one that is not set",
    "CERTIFICATE_UNKNOWN": "it did not take our client certificate",
    "UNKNOWN_CA": "it does not know who signed our client certificate",
    "CERTIFICATE_EXPIRED": "our client certificate has expired",
    "CERTIFICATE_REVOKED": "our client certificate was revoked",
    "UNSUPPORTED_CERTIFICATE": "our client certificate is of a kind it does not take",
    "ACCESS_DENIED": "it denies access to our client certificate",
}
"""What the server has against our certificate, by the last words of the TLS alert that it sent."""
_NOT_TLS = {"WRONG_VERSION_NUMBER", "RECORD_LAYER_FAILURE", "HTTP_REQUEST", "PACKET_LENGTH_TOO_LONG"}


def in_words(error: BaseException, names: Names, host: str = "") -> str | None:
    """Say why TLS failed and what to set; None for an error that TLS has no part in.

    >>> error = ssl.SSLCertVerificationError("x")
    >>> error.verify_code, error.verify_message = 10, "certificate has expired"
    >>> in_words(error, names_of("kafka"))
    "the server's certificate has expired: it must be renewed there"
    """
    for one in _chain(error):
        if isinstance(one, ssl.SSLCertVerificationError):
            return _of_their_certificate(one, names, host)
        if isinstance(one, ssl.SSLError):
            reason = one.reason or ""
            for alert, words in _OURS.items():
                if reason.endswith(alert):
                    return f"{words}: set {names.cert_file} and {names.key_file} to a pair that the server's CA has signed"
            if isinstance(one, ssl.SSLEOFError):
                return closed(names)
            if reason in _NOT_TLS:
                return f"no TLS is spoken there: give the address of a TLS listener in {names.where}, or turn TLS off"
            return f"the TLS handshake failed ({reason or one}): the two sides have no protocol or cipher in common"
    return None


def closed(names: Names) -> str:
    """Say what to do when the server closed the connection and gave no reason; most often it had sent a reason that was lost on the way.

    >>> closed(names_of("redis")).partition(":")[0]
    'the server closed the connection, as it does when it does not take our client certificate'
    """
    return (
        f"the server closed the connection, as it does when it does not take our client certificate: set {names.cert_file} and {names.key_file} "
        f"to a pair that the server's CA has signed, and look whether TLS is spoken at the address in {names.where}"
    )


def _of_their_certificate(error: ssl.SSLCertVerificationError, names: Names, host: str) -> str:
    code, message = getattr(error, "verify_code", 0), getattr(error, "verify_message", str(error))
    if code == 10:
        return "the server's certificate has expired: it must be renewed there"
    if code == 9:
        return "the server's certificate is not valid yet: look at the clocks"
    if code in {62, 64}:
        return f"the server's certificate is for another host name than {host or 'the one in the address'}: use a name that it holds in {names.where}, or have it made for this one"
    return f"the server's certificate is signed by nobody we trust ({message}): set {names.ca_file} to the certificate of the CA that signed it"


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        yield error
        error = error.__cause__ or error.__context__
