"""Reads the word of an event (`features.definitions.type_word`): a compiled function for each group of its bits."""

from __future__ import annotations

from numba import njit

from features.definitions.type_word import (
    ACTIVITY_BIT,
    CHANNEL_BIT,
    CHANNEL_MASK,
    ERROR_BIT,
    FUNNEL_BIT,
    FUNNEL_MASK,
    HIT_BIT,
    KEY_MASK,
    REVENUE_BIT,
)


@njit(cache=True, nogil=True)
def key_slot(word: int) -> int:
    """Return the slot of a key event, `NO_KEY` for any other event.

    >>> key_slot(0b1_0010)
    2
    """
    return word & KEY_MASK


@njit(cache=True, nogil=True)
def is_revenue(word: int) -> int:
    """Return 1 if the event's value is money, else 0.

    >>> is_revenue(0b1_0010), is_revenue(0b0010)
    (1, 0)
    """
    return (word >> REVENUE_BIT) & 1


@njit(cache=True, nogil=True)
def is_error(word: int) -> int:
    """Return 1 if the event is an error, else 0.

    >>> is_error(0b10_0010), is_error(0b0010)
    (1, 0)
    """
    return (word >> ERROR_BIT) & 1


@njit(cache=True, nogil=True)
def funnel_step(word: int) -> int:
    """Return the step of the funnel, 0 for none.

    >>> funnel_step(3 << 6)
    3
    """
    return (word >> FUNNEL_BIT) & FUNNEL_MASK


@njit(cache=True, nogil=True)
def channel(word: int) -> int:
    """Return the code of the channel, 0 for none.

    >>> channel(5 << 10)
    5
    """
    return (word >> CHANNEL_BIT) & CHANNEL_MASK


@njit(cache=True, nogil=True)
def is_activity(word: int, k: int) -> int:
    """Return 1 if the event makes a user active by definition k, else 0.

    >>> is_activity(1 << 17, 1), is_activity(1 << 17, 0)
    (1, 0)
    """
    return (word >> (ACTIVITY_BIT + k)) & 1


@njit(cache=True, nogil=True)
def sets_hit(word: int, k: int) -> int:
    """Return 1 if the event sets the hit bits of definition k, else 0.

    >>> sets_hit(1 << 24, 0), sets_hit(1 << 24, 1)
    (1, 0)
    """
    return (word >> (HIT_BIT + k)) & 1
