"""The page over made-up people: everything it reads is real and was written by the code that writes it, only nobody clicked.

A played app (`tests.web.made_up`) has its states in a real Redis and its messages in memory; from these the page's own store is filled by its own fold.
Time stands still at `NOW_MS`, so that figures and pictures are the same every time::

    world = make_world("full", server, folder)
    answer = world.browser().get("/at-risk")

`python -m tests.web.world STATE PORT` serves a world on this machine, to look at.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from copy import copy
from dataclasses import dataclass, field, replace
from itertools import cycle
from pathlib import Path
from typing import Any, Literal, get_args
from zoneinfo import ZoneInfo

import msgspec
from starlette.testclient import TestClient
from starlette.types import ASGIApp

from features.store.redis import connect
from insights.live.clicks import Intake
from insights.live.engine import Engine
from insights.live.letters import Group, Rejected
from insights.past.fold.batch import Batch
from insights.past.hold import Source
from insights.past.writer import Writer
from insights.store.store import open_store
from insights.web.app import make_app
from insights.web.door.deeds import By
from insights.web.door.managed import make_token
from insights.web.parts import Parts, parts_over
from stream.alerts.message import ALERTS
from stream.demo.local_redis import LocalRedis
from stream.demo.product import CHANNELS, DAY_MS, Click, Product, make_product
from stream.kafka.look import Look, Member
from stream.settings import Settings, load_settings
from tests.servers.proxy import Proxy
from tests.web.made_up import KEY_EVENTS, MadeUpApp

State = Literal["full", "day_one", "warming", "silent", "redis_down"]
STATES: tuple[State, ...] = get_args(State)
"""`full`: 90 days, a model serves. `day_one`: workers have started, nobody has clicked. `warming`: 8 days, nobody's time is up and the rule serves.
`silent`: as full, but no event has come for 22 minutes. `redis_down`: as full, but Redis is gone since a moment ago."""
NOW_MS = 1_795_713_600_000
"""Now, by every clock: 2026-11-26 17:20 UTC."""
DAYS: Mapping[State, int] = {"full": 90, "day_one": 0, "warming": 8, "silent": 90, "redis_down": 90}
LATE_MS = {"silent": 22 * 60_000}
"""How far the clock on the wall is ahead of the newest event."""
HOSTILE = (
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "=1+1",
    "@SUM(A1:A9)",
    "../../etc/passwd",
    "a/b?c=d&e#f%2F",
    "{{7*7}}{% raw %}",
    "\u202eevil\u202c",
    "李雷 🙂",
    "a\tb\nc",
)
"""Ids that strangers may choose."""


@dataclass(slots=True)
class WebWorld:
    """A page and what stands behind it.

    Attributes
    ----------
    made_up : MadeUpApp
        The workers and the trainer; `later` lets more happen.
    parts : Parts
        What the page reads.
    app : ASGIApp
    now_ms : int
        The clock on the wall.
    """

    state: State
    made_up: MadeUpApp
    parts: Parts
    app: ASGIApp
    now_ms: int
    writer: Writer
    look: Look | None = None
    """What Kafka says, where the world has one."""
    rejected: Mapping[Group, Rejected] = field(default_factory=dict)
    """What its dead letters say."""
    closing: list[Callable[[], None]] = field(default_factory=list)

    @property
    def zone(self) -> ZoneInfo:
        """The app's time zone."""
        return ZoneInfo(self.parts.engine.view().zone)

    def browser(self, *, follow_redirects: bool = False) -> TestClient:
        """Return somebody with a browser."""
        return TestClient(self.app, base_url="http://127.0.0.1", follow_redirects=follow_redirects)

    def token(self, *scopes: str) -> str:
        """Make a token, which its door knows at once."""
        with self.parts.store.write() as db:
            secret = make_token(db, By("test", "", self.now_ms), "test", scopes, None)[1]
        inner: Any = self.app
        while not hasattr(inner, "door"):
            inner = inner.app
        inner.door.known.forget()
        return secret

    def later(self, clicks: Sequence[Click], until_ms: int) -> None:
        """Let more happen: clicks, and time until `until_ms`; the page has read it when this returns."""
        self.made_up.play(clicks, until_ms)
        self.now_ms = until_ms
        self.read()

    def read(self) -> None:
        """Read what the topics hold beyond what was read, as the page's own consumer does, and look at it."""
        standing = self.writer.take(self.now_ms)
        assert standing is not None, "nobody else reads for this world"
        batch = Batch(self.made_up.name, self.made_up.spec.hash, standing)
        topics = self.made_up.topics
        for topic, messages, add in (
            (ALERTS, topics.alerts, lambda one: batch.add_alert(one.value, one.headers)),
            ("examples", topics.examples, lambda one: batch.add_examples(one.value, one.headers, one.timestamp)),
        ):
            for message in messages:
                if message.offset >= standing.positions.get((topic, message.partition), 0):
                    add(message)
                    batch.passed(topic, message.partition, message.offset + 1)
        self.writer.commit(batch, self.now_ms, dict(batch.standing.positions))
        self.parts.keeper.look()

    def intake(self) -> Intake | None:
        """Return what the page's watch of Kafka has seen."""
        return None if self.look is None else Intake(self.look, self.now_ms, reached=True, taken_per_s=12.0, rejected=self.rejected)

    def close(self) -> None:
        """Let go of what was opened for this world."""
        for close in reversed(self.closing):
            close()


def make_world(
    state: State,
    server: LocalRedis,
    folder: Path,
    *,
    app_name: str = "",
    users: int = 150,
    seed: int = 1,
    ids: Sequence[str] = (),
    quiet: bool = False,
    settings: Mapping[str, object] | None = None,
) -> WebWorld:
    """Play a product and put the page over it.

    Parameters
    ----------
    state : State
    server : LocalRedis
        Where states are written, under `app_name`, which no other world may have.
    folder : Path
        For the page's store.
    users : int
        Some of them; a fifth more join later.
    ids : sequence of str
        Ids of the people who have gone quiet of late, in place of made-up ones: for what strangers may send.
    quiet : bool
        Whether a third of the people have gone quiet two to eleven days ago, so that a small world has a list.
    settings : mapping
        More settings by name with "__" for the dot.
    """
    name = app_name or f"web-{state.replace('_', '-')}"
    made_up = MadeUpApp(_settings(server.url, name, folder, settings or {}), connect(server.url))
    days = DAYS[state]
    if days:
        made = product(days, users, seed)
        made_up.play(with_ids(gone_quiet(made) if quiet else made, ids).clicks, NOW_MS)
    return over(state, made_up, server)


def full_world(server: LocalRedis, folder: Path, history: Path | None = None) -> WebWorld:
    """Ninety days, with people whose ids strangers chose, and a threshold at which some thirty of them are at risk; over a history, if one is given."""
    settings: dict[str, object] = {"alerts__threshold": 0.4}
    if history is not None:
        settings["history__dir"] = str(history)
    return make_world("full", server, folder, app_name="pages-full", users=240, ids=HOSTILE, quiet=True, settings=settings)


def beside(world: WebWorld, state: State, server: LocalRedis, folder: Path, settings: Mapping[str, object] | None = None) -> WebWorld:
    """Put another page, with a store of its own in `folder`, over the app of a world that was played: to play takes longest."""
    made_up = copy(world.made_up)
    made_up.settings = _settings(server.url, made_up.name, folder, settings or {})
    return over(state, made_up, server)


def over(state: State, made_up: MadeUpApp, server: LocalRedis) -> WebWorld:
    """Put the page over an app that was played, and let it read all that was said."""
    if state != "redis_down":
        return _over(state, made_up, server.url)
    proxy = Proxy(server.port)
    world = _over(state, made_up, proxy.url)
    world.parts.status.state()
    proxy.close()
    return world


def _over(state: State, made_up: MadeUpApp, redis_url: str) -> WebWorld:
    now_ms = NOW_MS + LATE_MS.get(state, 0)
    client, store = connect(redis_url, timeout_s=1.0), open_store(made_up.settings["page.store"])
    world: WebWorld
    engine = Engine(client, made_up.name, lambda: world.now_ms)
    parts = parts_over(made_up.settings, engine, store, lambda: world.intake(), lambda: world.now_ms)  # noqa: PLW0108 - there is no world yet
    source = Source(made_up.name, "made-up", "made-up", (ALERTS, "examples"), made_up.spec.timezone)
    world = WebWorld(
        state,
        made_up,
        parts,
        make_app(parts),
        now_ms,
        Writer(store, source, "made-up"),
        look_of(made_up),
        closing=[store.close, client.close, parts.asked.close],
    )
    world.read()
    return world


def look_of(made_up: MadeUpApp) -> Look:
    """Say what Kafka would: two workers have taken everything."""
    members = (Member(made_up.name, "10.0.0.4", (0,)), Member(made_up.name, "10.0.0.5", tuple(range(1, made_up.partitions))))
    return Look(made_up.ends, NOW_MS if sum(made_up.ends.values()) else None, members)


def product(days: int, users: int, seed: int) -> Product:
    """Return what was clicked in the days up to now."""
    start_ms = NOW_MS // DAY_MS * DAY_MS - (days - 1) * DAY_MS
    made = make_product(start_ms, days, users, seed)
    return replace(made, clicks=[click for click in made.clicks if click.ts <= NOW_MS])


def gone_quiet(made: Product) -> Product:
    """Let a third of the people go quiet two to eleven days ago."""
    ends = {f"user-{number:05d}": NOW_MS - (2 + number * 7 % 10) * DAY_MS for number in range(0, made.users, 3)}
    clicks = [click for click in made.clicks if click.ts <= ends.get(click.user, NOW_MS)]
    last = {click.user: click.ts for click in clicks}
    return replace(made, clicks=clicks, left_ms=made.left_ms | {user: last[user] for user in ends if user in last})


def with_ids(made: Product, ids: Sequence[str]) -> Product:
    """Give the people who left within the last horizon other ids, one each as far as they go, so that some of these have an open alert."""
    if not ids:
        return made
    gone = sorted(user for user, left in made.left_ms.items() if NOW_MS - 12 * DAY_MS < left < NOW_MS - 3 * DAY_MS)
    new = dict(zip(gone, (one if n < len(ids) else f"{one}{n}" for n, one in enumerate(cycle(ids))), strict=False))
    return replace(made, clicks=[_renamed(click, new[click.user]) if click.user in new else click for click in made.clicks])


def _renamed(click: Click, user: str) -> Click:
    return Click(click.ts, user, msgspec.json.encode({**msgspec.json.decode(click.payload), "user": user}))


def _settings(redis_url: str, name: str, folder: Path, more: Mapping[str, object]) -> Settings:
    config = folder / f"{name}.toml"
    config.write_text(DEFINITIONS + RELEASES)
    given: dict[str, object] = {
        "redis__url": redis_url,
        "app__name": name,
        "app__group": name,
        "features__key_events": KEY_EVENTS,
        "features__channels": CHANNELS[:3],
        "learning__models": ("cadence", "logistic"),
        "page__store": f"sqlite:///{folder / name}.db",
        "history__dir": str(folder / "no-history"),
        **more,
    }
    return load_settings(config, {}, **given)


DEFINITIONS = """
[[definitions]]
name = "churn14"

[[definitions]]
name = "no-purchase"
activity = ["purchase"]
active_window = "28d"
horizon = "21d"
"""
RELEASES = """
[[releases]]
name = "3.0"
at = 2026-10-08
[[releases]]
name = "3.1 checkout anew"
at = 2026-11-03T06:00:00
[[releases]]
name = "Singles' Day"
at = "2026-11-11"
kind = "campaign"
[[releases]]
name = "3.2"
at = "2026-11-23"
"""


def main(state: State, port: int) -> None:
    """Serve a world until Ctrl-C."""
    import uvicorn

    with tempfile.TemporaryDirectory(prefix="churnwatch-page-") as folder, LocalRedis(Path(folder) / "redis", appendonly=False) as server:
        world = make_world(state, server, Path(folder), users=600)
        uvicorn.run(world.app, host="127.0.0.1", port=port, log_level="warning")


if __name__ == "__main__":
    main(next(one for one in STATES if one == sys.argv[1]), int(sys.argv[2]))
