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
from dataclasses import dataclass, field, replace
from itertools import cycle
from pathlib import Path
from typing import Literal, get_args

import msgspec
from starlette.testclient import TestClient
from starlette.types import ASGIApp

from features.store.redis import connect
from insights.live.engine import Engine
from insights.store.store import open_store
from insights.web.app import make_app
from insights.web.parts import Parts
from stream.demo.local_redis import LocalRedis
from stream.demo.product import CHANNELS, DAY_MS, HOUR_MS, Click, Product, make_product
from stream.settings import Settings, load_settings
from tests.servers.proxy import Proxy
from tests.web.made_up import KEY_EVENTS, MadeUpApp

State = Literal["full", "day_one", "warming", "silent", "redis_down"]
STATES: tuple[State, ...] = get_args(State)
"""`full`: 90 days, a model serves. `day_one`: workers have started, nobody has clicked. `warming`: 8 days, nobody's time is up and the rule serves.
`silent`: as full, but the newest event is two hours old. `redis_down`: as full, but Redis is gone since a moment ago."""
NOW_MS = 1_795_713_600_000
"""Now, by every clock: 2026-11-26 17:20 UTC."""
DAYS: Mapping[State, int] = {"full": 90, "day_one": 0, "warming": 8, "silent": 90, "redis_down": 90}
LATE_MS = {"silent": 2 * HOUR_MS}
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
    closing: list[Callable[[], None]] = field(default_factory=list)

    def browser(self, *, follow_redirects: bool = False) -> TestClient:
        """Return somebody with a browser."""
        return TestClient(self.app, base_url="http://127.0.0.1", follow_redirects=follow_redirects)

    def later(self, clicks: Sequence[Click], until_ms: int) -> None:
        """Let more happen: clicks, and time until `until_ms`."""
        self.made_up.play(clicks, until_ms)
        self.now_ms = until_ms

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
    settings : mapping
        More settings by name with "__" for the dot.
    """
    name = app_name or f"web-{state.replace('_', '-')}"
    made_up = MadeUpApp(_settings(server.url, name, folder, settings or {}), connect(server.url))
    days = DAYS[state]
    if days:
        made_up.play(with_ids(product(days, users, seed), ids).clicks, NOW_MS)
    world = over(state, made_up, server.url, folder)
    if state == "redis_down":
        world.close()
        proxy = Proxy(server.port)
        world = over(state, made_up, proxy.url, folder)
        world.parts.engine.view()
        proxy.close()
    return world


def over(state: State, made_up: MadeUpApp, redis_url: str, folder: Path) -> WebWorld:
    """Put the page over an app that was played."""
    client = connect(redis_url, timeout_s=1.0)
    now_ms = NOW_MS + LATE_MS.get(state, 0)
    world: WebWorld
    store = open_store(made_up.settings["page.store"])
    parts = Parts(made_up.settings, Engine(client, made_up.name), store, lambda: world.now_ms)
    world = WebWorld(state, made_up, parts, make_app(parts), now_ms, [client.close, store.close])
    return world


def product(days: int, users: int, seed: int) -> Product:
    """Return what was clicked in the days up to now."""
    start_ms = NOW_MS // DAY_MS * DAY_MS - (days - 1) * DAY_MS
    made = make_product(start_ms, days, users, seed)
    return replace(made, clicks=[click for click in made.clicks if click.ts <= NOW_MS])


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
    config.write_text(DEFINITIONS)
    given: dict[str, object] = {
        "redis__url": redis_url,
        "app__name": name,
        "app__group": name,
        "features__key_events": KEY_EVENTS,
        "features__channels": CHANNELS[:3],
        "learning__models": ("cadence", "logistic"),
        "page__store": f"sqlite:///{folder / name}.db",
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


def main(state: State, port: int) -> None:
    """Serve a world until Ctrl-C."""
    import uvicorn

    with tempfile.TemporaryDirectory(prefix="churnwatch-page-") as folder, LocalRedis(Path(folder) / "redis", appendonly=False) as server:
        world = make_world(state, server, Path(folder), users=600)
        uvicorn.run(world.app, host="127.0.0.1", port=port, log_level="warning")


if __name__ == "__main__":
    main(next(one for one in STATES if one == sys.argv[1]), int(sys.argv[2]))
