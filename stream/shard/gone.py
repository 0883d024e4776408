"""What a shard remembers of users who were erased: a salted digest of each, and when. Pure; the store keeps it as it is packed here.

The id itself is not kept. Whoever has both digests and salt can test whether somebody they name was erased, but cannot read who was
(docs/decisions/0026-an-erasure-is-a-record-of-the-log.md).
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

from features.users.state import NEVER

FOR_GOOD = 2**62
"""Time (ms) up to which events of a user count for nothing who was erased and has not consented since."""
DIGEST_BYTES = 16
_BACK, _AWAY = b"\x01", b"\x00"


def digest_of_user(user: str, salt: bytes) -> bytes:
    """Return what stands for an erased user, 16 bytes: keyed BLAKE2b (RFC 7693) of their id.

    >>> digest_of_user("ann", b"one").hex() == digest_of_user("ann", b"other").hex(), len(digest_of_user("ann", b"one"))
    (False, 16)
    """
    return hashlib.blake2b(user.encode(), digest_size=DIGEST_BYTES, key=salt).digest()


def is_away(packed: bytes | None) -> bool:
    """Whether what is stored of a user says that they were erased and have not consented since.

    >>> is_away(None), is_away((5).to_bytes(8, "big") + _AWAY), is_away((5).to_bytes(8, "big") + _BACK)
    (False, True, False)
    """
    return packed is not None and packed[8:9] == _AWAY


class Gone:
    """The erased users of one shard.

    Parameters
    ----------
    stored : mapping of digest to bytes
        As the store has it: when they were erased (8 bytes, ms, big-endian), and whether they have consented since (1 byte).

    >>> gone = Gone({}, b"salt")
    >>> gone.erase("ann", 5)
    >>> gone.barred_ms("ann") == FOR_GOOD, gone.barred_ms("bob") == NEVER
    (True, True)
    >>> gone.let_back("ann")
    >>> gone.barred_ms("ann"), Gone(gone.changed(), b"salt").barred_ms("ann")
    (5, 5)
    """

    def __init__(self, stored: Mapping[bytes, bytes], salt: bytes) -> None:
        self._salt = salt
        self._of = {digest: (int.from_bytes(packed[:8], "big"), packed[8:] == _BACK) for digest, packed in stored.items()}
        self._back = sum(back for _, back in self._of.values())
        self._changed: dict[bytes, bytes] = {}

    def __len__(self) -> int:
        return len(self._of)

    @property
    def some_are_back(self) -> bool:
        """Whether somebody of them may have a state again."""
        return self._back > 0

    def erased_ms(self, user: str) -> int:
        """Return when a user was last erased, ms; NEVER if they were not."""
        return self._of.get(digest_of_user(user, self._salt), (NEVER, False))[0]

    def barred_ms(self, user: str) -> int:
        """Return the time up to which their events count for nothing, ms: NEVER for somebody who was not erased."""
        erased_ms, back = self._of.get(digest_of_user(user, self._salt), (NEVER, True))
        return erased_ms if back else FOR_GOOD

    def erase(self, user: str, at_ms: int) -> None:
        """Remember that a user was erased."""
        self._note(user, max(at_ms, self.erased_ms(user)), back=False)

    def let_back(self, user: str) -> None:
        """Remember that an erased user may be known again, by what they do from now on."""
        self._note(user, self.erased_ms(user), back=True)

    def changed(self) -> dict[bytes, bytes]:
        """Return what has changed since the last call, to be stored."""
        changed, self._changed = self._changed, {}
        return changed

    def _note(self, user: str, erased_ms: int, *, back: bool) -> None:
        digest = digest_of_user(user, self._salt)
        self._back += back - self._of.get(digest, (0, False))[1]
        self._of[digest] = erased_ms, back
        self._changed[digest] = erased_ms.to_bytes(8, "big") + (_BACK if back else _AWAY)
