"""What goes into the registry and what comes out of it: plain data with a header, a digest and a signature.

The bytes are, in order: magic, format byte, 32 bytes HMAC-SHA256 over the rest, 32 bytes SHA-256 of the body, length of the header, header (JSON),
body (msgpack, see `online_models.plain`). Torn, foreign or forged bytes are refused before any of them is used. A key can be lost, so a good
signature is not enough: bytes whose body is not of its type are refused too.

Formats: a served model is written in format 4, which is plain data. The trainer's checkpoint is written in format 6; in format 5 and before, the
level of risks was followed in another way, and what that needs was not kept.

Errors::

    CheckpointRefused         with the reason in words
        CheckpointOutdated    an older build wrote it in a form that is no longer read: what it knew must be learned anew
"""

from __future__ import annotations

import hashlib
import hmac
import platform
from collections.abc import Mapping
from importlib.metadata import version as installed
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec
import numpy as np

from features.users.catalog import WIDTH
from online_models.judged import Day, Judged
from online_models.packed_scorers import PackedScorer
from online_models.plain import array_of
from online_models.scorer import Scorer
from online_models.unpacking import unpack

if TYPE_CHECKING:
    from online_models.trainer import Version

MAGIC = b"CWMODEL"
FORMATS = {"model": 4, "trainer": 6}
"""The format that each kind of checkpoint is written in."""
OLDEST = {"model": 4, "trainer": 6}
"""The oldest format of each kind that is read."""
MOST_BYTES = 1 << 29
"""Longest checkpoint that is read: 512 MiB, which is also the longest value Redis holds. Decoded, it takes a few times that memory."""

T = TypeVar("T")


class CheckpointRefused(ValueError):
    """These bytes are not a checkpoint that this process may use."""


class CheckpointOutdated(CheckpointRefused):
    """These bytes are a checkpoint of an older build, in a form that is no longer read."""


class Header(msgspec.Struct, frozen=True, kw_only=True):
    """What a checkpoint is; it can be read without the body."""

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
    tenths: list[Judged] = []
    days: dict[Day, Judged] = {}
    churnwatch: str = ""
    river: str = ""
    numpy: str = ""
    python: str = ""


class ModelBody(msgspec.Struct, frozen=True):
    """A served model: its scorer, the risks it must give for `probes` (float32), and some vectors for its importances (uint8, (n, F))."""

    scorer: PackedScorer
    probe: bytes
    sample: bytes


def seal(header: Header, body: msgspec.Struct, key: bytes) -> bytes:
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
    return MAGIC + bytes([FORMATS[header.kind]]) + hmac.new(key, rest, hashlib.sha256).digest() + rest


def unseal(sealed: bytes, key: bytes, body_type: type[T], spec_hash: str | None = None) -> tuple[Header, T]:
    """Check everything, then return header and body.

    Parameters
    ----------
    body_type : type
        `ModelBody`, or the body of a trainer (`online_models.trainer_checkpoint`); a body of another shape is refused.
    spec_hash : str, optional
        Hash of this process's feature spec. When it is given, a checkpoint of another spec is refused.

    Raises
    ------
    CheckpointRefused
        If the bytes are torn, forged, of another spec or format, or hold something else.
    CheckpointOutdated
        If an older build wrote them in a form that is no longer read.
    """
    start = len(MAGIC) + 1
    if not start + 68 <= len(sealed) <= MOST_BYTES or sealed[: len(MAGIC)] != MAGIC:
        raise CheckpointRefused("not a churnwatch checkpoint, or cut short")
    if (number := sealed[len(MAGIC)]) < min(OLDEST.values()):
        raise CheckpointOutdated(f"checkpoint format {number}, this code reads {min(OLDEST.values())} to {max(FORMATS.values())}")
    if number > max(FORMATS.values()):
        raise CheckpointRefused(
            f"checkpoint format {number} is of a newer build, this one reads {max(FORMATS.values())} at most: go on with the newer one, "
            "or run `churnwatch model rebuild`"
        )
    signature, rest = sealed[start : start + 32], sealed[start + 32 :]
    if not hmac.compare_digest(signature, hmac.new(key, rest, hashlib.sha256).digest()):
        raise CheckpointRefused("wrong signature: damaged, or signed with another key than CHURNWATCH_MODEL_KEY")
    length = int.from_bytes(rest[32:36], "big")
    head, packed = rest[36 : 36 + length], rest[36 + length :]
    if hashlib.sha256(packed).digest() != rest[:32]:
        raise CheckpointRefused("the body does not match its digest")
    try:
        header = msgspec.json.decode(head, type=Header)
        if spec_hash is not None and header.spec_hash != spec_hash:
            raise CheckpointRefused(
                f"learned with feature spec {header.spec_hash}, this process has {spec_hash}: run `churnwatch model rebuild`"
            )
        if number < (oldest := OLDEST.get(header.kind, 0)):
            raise CheckpointOutdated(f"checkpoint format {number} of a {header.kind}, this code reads {oldest} to {FORMATS[header.kind]}")
        return header, msgspec.msgpack.decode(packed, type=body_type)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise CheckpointRefused(f"cannot be read: {error}") from error


def seal_version(version: Version, spec_hash: str, key: bytes) -> bytes:
    """Return a model version as signed bytes for the registry; they hold the scores that it must give on probe vectors."""
    header = Header(
        kind="model", spec_hash=spec_hash, definition=version.definition, number=version.number, champion=version.champion, why=version.why,
        learned_until_ms=version.learned_until_ms, labels=version.labels, churned=version.churned, drifts=len(version.drifts),
        figures=_finite(version.figures), segments=_finite(version.segments), tenths=list(version.tenths),
        days=dict(version.days),
    )  # fmt: skip
    probe = version.scorer.risk(probes()).astype("<f4").tobytes()
    return seal(header, ModelBody(version.scorer.pack(), probe, version.sample.tobytes()), key)


def _finite(tables: Mapping[str, Mapping[str, float]]) -> dict[str, dict[str, float | None]]:
    return {name: {key: (value if np.isfinite(value) else None) for key, value in row.items()} for name, row in tables.items()}


def unseal_version(sealed: bytes, key: bytes, spec_hash: str | None) -> tuple[Header, Scorer]:
    """Check a model version, its probe scores included, and return its header and scorer.

    Raises
    ------
    CheckpointRefused
        As `unseal` does; also if the model cannot be run, or gives other scores than when it was sealed.
    """
    header, body = unseal(sealed, key, ModelBody, spec_hash)
    try:
        scorer = unpack(body.scorer)
        array_of(body.sample, "u1", -1, WIDTH)
        expected = array_of(body.probe, "<f4", len(probes()))
        with np.errstate(over="ignore"):  # the exponential overflows where a risk is 0 or 1, which is a sound risk
            said = scorer.risk(probes())
    except ValueError as error:
        raise CheckpointRefused(f"not a usable model: {error}") from error
    if not (np.isfinite(said).all() and said.min() >= 0 and said.max() <= 1 and np.allclose(said, expected, atol=1e-6)):
        raise CheckpointRefused("the model does not give the scores it was sealed with")
    return header, scorer


def sample_of(sealed: bytes, key: bytes) -> np.ndarray[Any, np.dtype[np.uint8]]:
    """Return the vectors that a version carries for its importances, uint8 (n, F)."""
    _, body = unseal(sealed, key, ModelBody)
    return array_of(body.sample, "u1", -1, WIDTH)


def probes() -> np.ndarray[Any, np.dtype[np.uint8]]:
    """Return 16 fixed vectors, uint8 (16, F), which every model must score as it did when it was sealed."""
    return np.random.default_rng(20_240_101).integers(0, 256, (16, WIDTH), dtype=np.uint8)
