"""Which models are there, which one serves, and what did each learn? Read from the registry, checked as a worker checks them."""

from __future__ import annotations

import time
from collections.abc import Mapping
from threading import Lock
from typing import NamedTuple

import redis

from insights.live.engine import EngineView
from online_models.champion import RULE
from online_models.checkpoint import Header
from online_models.registry import Wish
from online_models.registry_redis import RedisRegistry
from online_models.scorer import Champion
from stream.ownership.served import ModelSource


class Served(NamedTuple):
    """The model of one definition.

    Attributes
    ----------
    champion : Champion
        What scores at the engine's present time; version 0 is the rule.
    wish : Wish
        What a person asked for.
    headers : tuple of Header
        What each kept version learned and how good it was, newest first. Versions that cannot be read are not among them.
    """

    champion: Champion
    wish: Wish
    headers: tuple[Header, ...]

    @property
    def header(self) -> Header | None:
        """Of the version that serves; None for the rule without a version."""
        return next((one for one in self.headers if one.number == self.champion.version), None)

    @property
    def name(self) -> str:
        """The candidate that serves."""
        return RULE if self.header is None else self.header.champion

    @property
    def rule(self) -> bool:
        """Whether it is the rule."""
        return self.name == RULE

    @property
    def since(self) -> Header | None:
        """The oldest kept version from which on the candidate that serves has served without a break; None for the rule without a version."""
        oldest = None
        for one in self.headers:
            if one.number <= self.champion.version:
                if one.champion != self.name:
                    break
                oldest = one
        return oldest


class Models:
    """Asks the registry at most once in `FRESH_S` seconds, from whichever thread comes first.

    Parameters
    ----------
    client : redis.Redis
    app : str
        The workers' ``app.name``.
    key : bytes
        Verifies signatures (`stream.ownership.served.model_key`).
    """

    FRESH_S = 5.0

    def __init__(self, client: redis.Redis, app: str, key: bytes) -> None:
        self._registry, self._key = RedisRegistry(client, app), key
        self._asking, self._asked_at = Lock(), float("-inf")
        self._source: ModelSource | None = None
        self._of: tuple[object, ...] = ()
        self._headers: dict[str, dict[int, Header]] = {}
        self._wishes: dict[str, Wish] = {}

    def source(self, view: EngineView) -> ModelSource | None:
        """Return what scores people as a worker would; None before the first worker. While one thread asks, the others have what was there before."""
        if view.spec is None:
            return None
        of = (view.spec.spec.hash, view.spec.spec.definitions)
        if (of != self._of or time.monotonic() - self._asked_at >= self.FRESH_S) and self._asking.acquire(blocking=of != self._of):
            try:
                if self._source is None or of != self._of:
                    self._source, self._of = ModelSource(self._registry, view.spec.spec.definitions, view.spec.spec.hash, self._key), of
                self._look(self._source)
                self._asked_at = time.monotonic()
            finally:
                self._asking.release()
        return self._source

    def served(self, view: EngineView, definition: str) -> Served | None:
        """Return the model of a definition; None before the first worker. Raises KeyError when there is no such definition."""
        source = self.source(view)
        if source is None:
            return None
        place = view.definitions.index(definition) if definition in view.definitions else None
        if place is None:
            raise KeyError(definition)
        champion = source.champions(2**62 if view.as_of_ms is None else view.as_of_ms)[place]
        headers = self._headers.get(definition, {})
        return Served(champion, self._wishes.get(definition, Wish()), tuple(headers[number] for number in sorted(headers, reverse=True)))

    def _look(self, source: ModelSource) -> None:
        names = [one.name for one in source.definitions]
        try:
            fresh = source.refresh()
            listed: Mapping[str, Mapping[int, int]] = {name: self._registry.versions(name) for name in names}
            self._wishes = {name: self._registry.wish(name) for name in names}
        except redis.RedisError:
            return  # the versions known go on serving, as in a worker
        known = {name: {number: one for number, one in self._headers.get(name, {}).items() if number in listed[name]} for name in names}
        for header in fresh:
            known[header.definition][header.number] = header
        self._headers = known
