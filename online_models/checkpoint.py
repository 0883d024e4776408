"""What goes into the registry and what comes out of it: bytes with a header, a digest and a signature. Never a pickle.

Layout: magic, format byte, 32 bytes HMAC-SHA256 over the rest, 32 bytes SHA-256 of the body, length of the header, header (JSON), body (msgpack of
plain numbers). Torn, foreign or forged bytes are refused before anything of them is used.

Errors::

    CheckpointRefused    with the reason in words
"""

from __future__ import annotations

import hashlib
import hmac
import platform
from collections.abc import Mapping
from importlib.metadata import version as installed
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np

from features.users.catalog import WIDTH
from online_models.scorer import Scorer
from online_models.unpacking import unpack

if TYPE_CHECKING:
    from online_models.trainer import Version

MAGIC = b"CWMODEL"
FORMAT = 4


class CheckpointRefused(ValueError):
    """These bytes are not a checkpoint of ours."""


class Header(msgspec.Struct, frozen=True, kw_only=True):
    """What a checkpoint is, readable without its body."""

    kind: str
    spec_hash: str
    definition: str = ""
    number: int = 0
    champion: str = ""
    learned_until_ms: int = 0
    why: str = ""
    labels: int = 0
    churned: int = 0
    drifts: int = 0
    figures: dict[str, dict[str, float | None]] = {}
    segments: dict[str, dict[str, float | None]] = {}
    churnwatch: str = ""
    river: str = ""
    numpy: str = ""
    python: str = ""


def seal(header: Header, body: Mapping[str, Any], key: bytes) -> bytes:
    """Return the bytes of a checkpoint, signed with `key`."""
    versions = {
        "churnwatch": installed("churnwatch"),
        "river": installed("river"),
        "numpy": np.__version__,
        "python": platform.python_version(),
    }
    head = msgspec.json.encode(msgspec.structs.replace(header, **versions))
    packed = msgspec.msgpack.encode(body)
    rest = hashlib.sha256(packed).digest() + len(head).to_bytes(4, "big") + head + packed
    return MAGIC + bytes([FORMAT]) + hmac.new(key, rest, hashlib.sha256).digest() + rest


def unseal(sealed: bytes, key: bytes, spec_hash: str | None = None) -> tuple[Header, dict[str, Any]]:
    """Check everything, then return header and body.

    Raises
    ------
    CheckpointRefused
    """
    start = len(MAGIC) + 1
    if len(sealed) < start + 68 or sealed[: len(MAGIC)] != MAGIC:
        raise CheckpointRefused("not a churnwatch checkpoint, or cut short")
    if sealed[len(MAGIC)] != FORMAT:
        raise CheckpointRefused(f"checkpoint format {sealed[len(MAGIC)]}, this code reads {FORMAT}: run `churnwatch model rebuild`")
    signature, rest = sealed[start : start + 32], sealed[start + 32 :]
    if not hmac.compare_digest(signature, hmac.new(key, rest, hashlib.sha256).digest()):
        raise CheckpointRefused("wrong signature: damaged, or signed with another key than CHURNWATCH_MODEL_KEY")
    length = int.from_bytes(rest[32:36], "big")
    head, packed = rest[36 : 36 + length], rest[36 + length :]
    if hashlib.sha256(packed).digest() != rest[:32]:
        raise CheckpointRefused("the body does not match its digest")
    try:
        header = msgspec.json.decode(head, type=Header)
        body = msgspec.msgpack.decode(packed)
    except msgspec.DecodeError as error:
        raise CheckpointRefused(f"cannot be read: {error}") from error
    if spec_hash is not None and header.spec_hash != spec_hash:
        raise CheckpointRefused(
            f"learned with feature spec {header.spec_hash}, this process has {spec_hash}: run `churnwatch model rebuild`"
        )
    return header, body


def seal_version(version: Version, spec_hash: str, key: bytes) -> bytes:
    """Return a model version for the registry, with the scores it must give on probe vectors."""
    header = Header(
        kind="model", spec_hash=spec_hash, definition=version.definition, number=version.number, champion=version.champion, why=version.why,
        learned_until_ms=version.learned_until_ms, labels=version.labels, churned=version.churned, drifts=len(version.drifts),
        figures=_finite(version.figures), segments=_finite(version.segments),
    )  # fmt: skip
    probe = version.scorer.risk(probes()).astype("<f4").tobytes()
    return seal(header, {"scorer": version.scorer.pack(), "probe": probe, "sample": version.sample.tobytes()}, key)


def _finite(tables: Mapping[str, Mapping[str, float]]) -> dict[str, dict[str, float | None]]:
    return {name: {key: (value if np.isfinite(value) else None) for key, value in row.items()} for name, row in tables.items()}


def unseal_version(sealed: bytes, key: bytes, spec_hash: str | None) -> tuple[Header, Scorer]:
    """Check a model version, its probe scores included.

    Raises
    ------
    CheckpointRefused
    """
    header, body = unseal(sealed, key, spec_hash)
    try:
        scorer = unpack(body["scorer"])
        expected = np.frombuffer(body["probe"], "<f4")
        said = scorer.risk(probes())
    except (KeyError, ValueError, TypeError, IndexError) as error:
        raise CheckpointRefused(f"not a usable model: {error}") from error
    if not np.allclose(said, expected, atol=1e-6):
        raise CheckpointRefused("the model does not give the scores it was sealed with")
    return header, scorer


def sample_of(sealed: bytes, key: bytes) -> np.ndarray[Any, np.dtype[np.uint8]]:
    """Return the vectors that a version carries for its importances, uint8 (n, F)."""
    _, body = unseal(sealed, key)
    return np.frombuffer(body["sample"], np.uint8).reshape(-1, WIDTH)


def probes() -> np.ndarray[Any, np.dtype[np.uint8]]:
    """Return 16 fixed vectors that any model must score as it did when it was sealed."""
    return np.random.default_rng(20_240_101).integers(0, 256, (16, WIDTH), dtype=np.uint8)
