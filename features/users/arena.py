"""The users of a shard in this process: their state records in one array, with a slot for each user.

The arena is only a cache. The store has the truth, and the fence of its commits makes the cache safe, so to drop the arena at any time loses
nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from features.compiled.texts import Texts, ids_of, names_of
from features.users.landmarks import phase_of
from features.users.packed_state import pack_states, read_states
from features.users.state import FLAG_ARMED, NEVER, fresh_record, state_dtype
from features.users.user_index import UserIndex

RESERVED = 1 << 18
"""Most rows that are reserved at first; an eighth more is reserved for users that a step brings in. Rows cost no memory until they are written,
while growing later would copy them all."""


class Arena:
    """State records by slot.

    Parameters
    ----------
    definitions : int
        Number of churn definitions, which decides the record's layout.
    capacity : int
        Most users that are kept after a commit, at least 1; while a step lasts there may be more.

    Attributes
    ----------
    states : structured array (rows,)
        The state records (`features.users.state.state_dtype`).
    armed : bool (rows,)
        Whether the user is in the stored wheel, as of the last commit.
    fresh : bool (rows,)
        Whether the user had no stored state when they were brought in, and none was stored since.
    touched : uint8 (rows,)
        1 if the record has changed since the last commit.
    last_landmark : int32 (rows,)
        Work space of the compiled pass, -1 between steps.
    barred_ms : int64 (rows,)
        Events of the user up to this time (ms) count for nothing, because they were erased; NEVER for nearly everybody.
    """

    def __init__(self, definitions: int, capacity: int = 1 << 18) -> None:
        self._dtype = state_dtype(definitions)
        self._definitions = definitions
        self._capacity = capacity
        self._index = UserIndex()
        self.users: list[str] = []
        self._allocate(min(capacity, RESERVED) + min(capacity, RESERVED // 8))

    def _allocate(self, rows: int) -> None:
        self.states: npt.NDArray[np.void] = np.zeros(rows, self._dtype)
        self._raw = self.states.view(f"V{self._dtype.itemsize}")  # the same records without fields, because NumPy copies such records whole
        self.armed = np.zeros(rows, np.bool_)
        self.fresh = np.zeros(rows, np.bool_)
        self.touched = np.zeros(rows, np.uint8)
        self.last_landmark = np.full(rows, -1, np.int32)
        self.barred_ms = np.full(rows, NEVER, np.int64)
        self._used = np.zeros(rows, np.int64)

    def _columns(self) -> tuple[npt.NDArray[Any], ...]:
        return (self._raw, self.armed, self.fresh, self.touched, self.last_landmark, self.barred_ms, self._used)

    def __len__(self) -> int:
        return len(self.users)

    def slots(self, users: Texts) -> npt.NDArray[np.int32]:
        """Return the slot of each user, int32 (n,); -1 for a user who is not here."""
        return self._index.find(users)

    def ids(self, slots: npt.NDArray[np.intp]) -> Texts:
        """Return the user ids of some slots. When users are forgotten, the slots of the others change."""
        return self._index.ids(slots)

    def admit(self, users: Sequence[str] | Texts, states: Sequence[bytes | None]) -> None:
        """Bring in users who are not here, each with their stored record, or with a fresh one for None.

        Raises
        ------
        ValueError
            If there are not as many states as users.
        LayoutError
            If a stored record cannot be read; its `row` counts only the users who have a stored record.
        """
        first, names = len(self.users), names_of(users)
        if not len(users) == len(names) == len(states):
            raise ValueError(f"{len(users)} users, {len(names)} of them with a name, and {len(states)} states")
        self._grow(first + len(names))
        ids = ids_of(users)
        self._index.add(ids)
        self.users += names
        is_stored = np.array([packed is not None for packed in states], np.bool_)
        fresh, stored = first + (~is_stored).nonzero()[0], first + is_stored.nonzero()[0]
        if len(fresh):
            self._raw[fresh] = fresh_record(self._definitions).view(self._raw.dtype)
            self.fresh[fresh] = True
            self.states["phase"][fresh] = [phase_of(self.users[slot]) for slot in fresh.tolist()]
        if len(stored):
            records = read_states(ids.take(stored - first), [packed for packed in states if packed is not None], self._definitions)
            self._raw[stored] = records.view(self._raw.dtype)
            self.armed[stored] = (self.states["flags"][stored] & FLAG_ARMED) != 0

    def _grow(self, wanted: int) -> None:
        rows = len(self.states)
        if wanted <= rows:
            return
        old = self._columns()
        self._allocate(max(wanted, rows * 2))
        for source, target in zip(old, self._columns(), strict=True):
            target[:rows] = source

    def changed(self, and_also: npt.NDArray[np.int32] | None = None) -> npt.NDArray[np.intp]:
        """Return the slots touched since the last commit, and some others with them; each once, in order."""
        touched = self.touched[: len(self.users)]
        if and_also is not None and len(and_also):
            touched = touched.copy()
            touched[and_also] = 1
        return touched.view(np.bool_).nonzero()[0]

    def erase(self, slot: int) -> None:
        """Make a user one whom nobody has seen yet. Their id stays in this process until they are forgotten like others who are not active."""
        self._raw[slot] = fresh_record(self._definitions).view(self._raw.dtype)[0]
        self.states["phase"][slot] = phase_of(self.users[slot])
        self.fresh[slot], self.armed[slot], self.touched[slot] = True, False, 0

    def packed(self, slots: npt.NDArray[np.intp]) -> Texts:
        """Return the records of some slots in the form in which they are stored."""
        return pack_states(self.states, slots, self.ids(slots))

    def settle(self, slots: npt.NDArray[np.intp], clock: int) -> None:
        """Note that the states of `slots` are stored now. When there are more users than the capacity, forget those used longest ago.

        Parameters
        ----------
        clock : int
            Any number that grows with every commit.
        """
        self.touched[slots] = 0
        self.fresh[slots] = False
        self.last_landmark[: len(self.users)] = -1
        self.armed[slots] = (self.states["flags"][slots] & FLAG_ARMED) != 0
        self._used[slots] = clock
        if len(self.users) > self._capacity:
            self._forget(len(self.users) - self._capacity // 2)

    def _forget(self, count: int) -> None:
        live = len(self.users)
        keep = np.sort(np.argpartition(self._used[:live], count - 1)[count:])
        for array in self._columns():
            array[: len(keep)] = array[keep]
        self.touched[len(keep) : live] = 0
        self.armed[len(keep) : live] = self.fresh[len(keep) : live] = False
        self.barred_ms[len(keep) : live] = NEVER
        self.users = [self.users[slot] for slot in keep]
        self._index = UserIndex()
        self._index.add(ids_of(self.users))
