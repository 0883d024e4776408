"""A small app in a real Redis, with a few people in exactly known states, and the API over it: what the examples of the OpenAPI document are about."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import redis

from features.compiled.texts import ids_of
from features.definitions.definition import DAY_MS, ChurnDefinition
from features.store.app_spec import AppSpec
from features.store.contract import Commit
from features.store.redis import RedisStore, connect, save_spec
from features.users.landmarks import phase_of
from features.users.packed_state import pack_states
from features.users.spec import FeatureSpec
from features.users.state import init_state, state_dtype
from insights.analyses.plain import Cell
from insights.live.engine import Engine
from insights.made.shelf import save
from insights.made.things import Board, Question, Segment, Thing
from insights.past.rows import AlertRow, Cause
from insights.store.store import open_store
from insights.web.app import make_app
from insights.web.door.deeds import By
from insights.web.door.managed import make_token
from insights.web.parts import parts_over
from insights.web.who import TOKEN_SCOPES
from stream.alerts.message import ReasonCode, alert_id
from stream.alerts.sentences import say
from stream.settings import Settings, load_settings
from stream.shard.meta import ShardMeta
from tests.insights.live.told import Teller

PARTITIONS = 2
DEFINITIONS = (ChurnDefinition(), ChurnDefinition(name="churn7", horizon_ms=7 * DAY_MS))
SPEC = FeatureSpec(definitions=DEFINITIONS)
NEWEST_MS = 1_773_803_600_000
OPENED_MS = NEWEST_MS - 2 * DAY_MS
ANNS = 1
"""The shard that has ann."""
EVERYTHING = TOKEN_SCOPES
CODES = [ReasonCode("silence", 846_700.0, 82_800.0, "seconds"), ReasonCode("active_days_28", 3.0, 12.0, "days")]


class Api:
    """The page's application over an app, as one process has it, with a store of its own: whoever asks has a real token.

    Parameters
    ----------
    folder : Path
        For the store.
    now_ms : callable
        The clock on the wall.
    """

    def __init__(self, settings: Settings, client: redis.Redis, folder: Path, now_ms: Callable[[], int]) -> None:
        folder.mkdir(exist_ok=True)
        self.store = open_store(f"sqlite:///{folder / 'page.db'}")
        self.parts = parts_over(settings, Engine(client, settings["app.name"], now_ms), self.store, lambda: None, now_ms)
        self.app = make_app(self.parts)

    def token(self, *scopes: str) -> str:
        """Return a new token's secret."""
        with self.store.write() as db:
            return make_token(db, By("test", "", self.parts.now_ms()), "test", scopes, None)[1]  # type: ignore[arg-type]  # tests name scopes as text

    def caller(self, *scopes: str) -> httpx.AsyncClient:
        """Return somebody with a token for these scopes, or for all."""
        bearer = {"Authorization": f"Bearer {self.token(*(scopes or EVERYTHING))}"}
        return httpx.AsyncClient(transport=httpx.ASGITransport(self.app), base_url="http://127.0.0.1", headers=bearer, timeout=60)

    def close(self) -> None:
        self.parts.asked.close()
        self.store.close()


class Shop(Api):
    """See the module."""

    def __init__(self, url: str, name: str, folder: Path, **settings: Any) -> None:
        self.client: redis.Redis = connect(url)
        self.name = name
        self.settings = load_settings(None, {}, redis__url=url, app__name=name, app__group=name, **settings)
        super().__init__(self.settings, self.client, folder / name, lambda: NEWEST_MS + 100_000)
        self._teller = Teller(self.store, name)

    def start(self) -> None:
        """A first worker comes, and has counted up to `NEWEST_MS`; nobody is known."""
        save_spec(self.client, self.name, AppSpec(spec=SPEC, cluster_id="c", topic_id="t", partitions=PARTITIONS))

    async def commit(self, partition: int, users: Sequence[str], states: np.ndarray[Any, Any], max_ms: int = NEWEST_MS) -> None:
        """Store states as a worker does."""
        store = RedisStore(self.client, self.name)
        taken = await store.take(partition, 1, force=True)
        meta = ShardMeta(max_ms=max_ms, totals={"ok": 3 if partition else 4, "late": 1})
        packed = pack_states(states, np.arange(len(users)), ids_of(users))
        await store.commit(partition, Commit(taken.token, taken.commit_no, meta.pack(), users, packed))
        store.close()

    async def fill(self) -> None:
        """Ann has gone silent; bob came back; carl is at risk by the second definition only. Grace has made a board of one question, and two segments."""
        self.start()
        await self.commit(ANNS, ["ann"], state("ann", opened_ms=OPENED_MS, alert_open=(True, False)))
        others = [state("bob", opened_ms=OPENED_MS, last_active_ms=NEWEST_MS), state("carl", opened_ms=OPENED_MS, alert_open=(False, True))]
        await self.commit(0, ["bob", "carl"], np.concatenate(others), NEWEST_MS + 60_000)
        self.tell(self.alert("ann", ANNS), self.alert("carl", 0, "churn7"))
        self.keep("payers", Segment(title="Who paid", rule=("purchases >= 1",)))
        self.keep("march", Segment(title="Back in March"), users=("bob", "ann"))
        of_payers = {"unit": "week", "segment": "payers"}
        cell = Cell(metric="overall", k=1)
        self.keep("back", Question(title="Back after a week", analysis="retention", parameters=of_payers, shown="number", cell=cell))
        self.keep("monday", Board(title="Every Monday", questions=("back",)))

    def keep(self, name: str, thing: Thing, users: Sequence[str] | None = None) -> None:
        """Let grace make something."""
        with self.store.write() as db:
            save(db, thing, by="grace", now_ms=self.parts.now_ms(), name=name, users=users)

    def alert(self, user: str, partition: int, definition: str = "churn14", *, cause: Cause | None = None) -> AlertRow:
        """Return the alert that was opened at `OPENED_MS`, or its end."""
        horizon_ms = next(one.horizon_ms for one in DEFINITIONS if one.name == definition)
        return AlertRow(
            alert_id=alert_id(self.name, definition, user, OPENED_MS), user=user, definition=definition, partition=partition, risk=0.8, threshold=0.7,
            landmark_ms=OPENED_MS, valid_until_ms=OPENED_MS + horizon_ms, scored_ms=OPENED_MS, model="logistic", model_version=7,
            reasons=[say(code, SPEC, "en") for code in CODES], reason_codes=CODES, ended_ms=None if cause is None else OPENED_MS + DAY_MS,
            cause=cause, really_left=None, change_no=0,
        )  # fmt: skip

    def tell(self, *alerts: AlertRow) -> None:
        """Let the page's past hear of alerts, and the board look at it."""
        self._teller.tell(*alerts, now_ms=self.parts.now_ms())
        self.parts.keeper.look()

    def end(self) -> None:
        """Let the page come to its end: its board stands still, and streams end once they have said where things stand."""
        with self.parts.keeper:
            pass

    def close(self) -> None:
        super().close()
        self.client.close()


def state(
    user: str, *, opened_ms: int, alert_open: tuple[bool, bool] = (False, False), last_active_ms: int | None = None, risk: float = 0.8
) -> np.ndarray[Any, Any]:
    """Return somebody's state, shape (1,)."""
    rows = np.zeros(1, state_dtype(len(DEFINITIONS)))
    init_state(rows, 0, phase_of(user))
    rows["first_ms"], rows["scored_ms"] = opened_ms - 30 * DAY_MS, opened_ms
    rows["seen_ms"] = rows["last_active_ms"] = opened_ms - DAY_MS if last_active_ms is None else last_active_ms
    rows["risk"], rows["model_version"], rows["alert_open"], rows["opened_ms"] = round(risk * 65_535), 7, alert_open, opened_ms
    return rows
