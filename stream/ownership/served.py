"""What a worker knows of the models: the newest versions of the registry, checked, and which of them a shard may use now."""

from __future__ import annotations

import logging
from collections.abc import Sequence

from features.definitions.definition import ChurnDefinition
from online_models.cadence import CadenceScorer
from online_models.checkpoint import CheckpointRefused, Header, unseal_version
from online_models.registry import Registry
from online_models.scorer import Champion
from stream.settings import Settings, SettingsError, is_on_this_machine

log = logging.getLogger(__name__)

NO_KEY = (
    "learning.key: needed, because Redis is not on this machine and whoever can write there could put models of their own in place. "
    "`churnwatch config key` makes one in churnwatch.key: copy it to each worker and trainer, and set CHURNWATCH_MODEL_KEY_FILE to its path. "
    "Then `churnwatch model rebuild` signs with it what was learned without one"
)


def model_key(settings: Settings) -> bytes:
    """Return the key that signs models.

    Where none is set and only this machine can reach Redis, the app's name stands in for the key. That guards against accidents, not against people.

    Raises
    ------
    SettingsError
        None is set, and Redis is on another machine: whoever can write there could choose the models.
    """
    if key := settings["learning.key"]:
        return str(key).encode()
    if not is_on_this_machine(settings["redis.url"]):
        raise SettingsError([NO_KEY])
    return b"churnwatch/" + str(settings["app.name"]).encode()


class ModelSource:
    """Models by definition, refreshed from the registry.

    Parameters
    ----------
    key : bytes
        Verifies signatures.
    """

    def __init__(self, registry: Registry, definitions: Sequence[ChurnDefinition], spec_hash: str, key: bytes) -> None:
        self.definitions = tuple(definitions)
        self._registry, self._spec_hash, self._key = registry, spec_hash, key
        self._rules = [Champion(0, CadenceScorer(definition.horizon_ms)) for definition in definitions]
        self._known: list[dict[int, tuple[int, Champion]]] = [{} for _ in definitions]
        self._wanted = [0 for _ in definitions]
        self._refused: set[tuple[int, int]] = set()

    def refresh(self) -> list[Header]:
        """Load versions not seen yet; return the headers of those now usable. Blocks: call it from a thread."""
        fresh: list[Header] = []
        for k, definition in enumerate(self.definitions):
            listed = self._registry.versions(definition.name)
            known = {number: one for number, one in self._known[k].items() if number in listed}
            for number in listed:
                if number in known or (k, number) in self._refused:
                    continue
                sealed = self._registry.load(definition.name, number)
                if sealed is None:
                    continue
                try:
                    header, scorer = unseal_version(sealed, self._key, self._spec_hash)
                except CheckpointRefused as error:
                    # The last good version goes on serving.
                    log.error("model refused", extra={"definition": definition.name, "version": number, "why": str(error)})  # noqa: TRY400 - no stack in logs
                    self._refused.add((k, number))
                    continue
                known[number] = (header.learned_until_ms, Champion(number, scorer))
                fresh.append(header)
            self._known[k], self._wanted[k] = known, self._registry.wish(definition.name).version
        return fresh

    def champions(self, watermark_ms: int) -> list[Champion]:
        """Return the champion of each definition: the version that a person asked for, else the newest, else the rule.

        Only versions that learned nothing from beyond the watermark are considered.
        """
        chosen = []
        for rule, known, wanted in zip(self._rules, self._known, self._wanted, strict=True):
            usable = {number: champion for number, (until_ms, champion) in known.items() if until_ms <= watermark_ms}
            chosen.append(usable[wanted] if wanted in usable else usable[max(usable)] if usable else rule)
        return chosen
