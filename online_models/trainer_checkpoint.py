"""The trainer's own checkpoint: all that it goes on from after a restart, sealed as a served model is (`online_models.checkpoint`).

It has a file of its own because a worker only reads models: it need not import the code that learns them.
"""

from __future__ import annotations

import msgspec

from online_models.checkpoint import CheckpointOutdated, CheckpointRefused, Header, seal, unseal
from online_models.plain import Count, OutdatedState
from online_models.trainer import Trainer, TrainerState


class TrainerBody(msgspec.Struct, frozen=True):
    """The trainer's state, and the next offset that it reads in the topic."""

    trainer: TrainerState
    next_offset: Count


def seal_trainer(trainer: Trainer, next_offset: int, spec_hash: str, key: bytes) -> bytes:
    """Return a trainer's checkpoint, signed with `key`; `next_offset` is the first offset of the topic that it has not learned."""
    return seal(Header(kind="trainer", spec_hash=spec_hash), TrainerBody(trainer.state(), next_offset), key)


def unseal_trainer(sealed: bytes, key: bytes, spec_hash: str, trainer: Trainer) -> int:
    """Check a trainer's checkpoint and make a fresh trainer go on from it; return the next offset to read.

    Raises
    ------
    CheckpointRefused
        If it cannot be used. The trainer may have taken over a part of it, so throw the trainer away.
    CheckpointOutdated
        If an older build wrote it in a form that is no longer read.
    """
    _, body = unseal(sealed, key, TrainerBody, spec_hash)
    try:
        trainer.restore(body.trainer)
    except OutdatedState as error:
        raise CheckpointOutdated(str(error)) from error
    except (ValueError, ArithmeticError, RecursionError) as error:
        raise CheckpointRefused(str(error)) from error
    return body.next_offset
