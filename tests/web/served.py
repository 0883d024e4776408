"""Made-up worlds on an address of this machine, for a browser to open: one is played, the others stand beside it."""

from __future__ import annotations

import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import cast

import uvicorn

from insights.live.letters import Rejected
from insights.store import people
from insights.store.roles import Role
from insights.web.program import uvicorn_config
from stream.demo.local_redis import LocalRedis
from stream.demo.product import Click
from tests.servers.process import wait_until
from tests.web.access.house import HASHED, sign_in
from tests.web.crowd_world import import_shop, keep_a_board, warm
from tests.web.shots import Place, Worlds
from tests.web.world import NOW_MS, State, WebWorld, beside, full_world, make_world

PEOPLE: tuple[tuple[str, Role], ...] = (("ann", "admin"), ("vera", "viewer"))
LINES_OF_CSV = 41
REJECTED = {("not_json", None): Rejected(LINES_OF_CSV, "a line of CSV: send JSON, or load the file with `churnwatch ingest`", NOW_MS)}
"""What dead letters say while the model is learning, when somebody still tries what to send."""


@contextmanager
def everywhere() -> Iterator[Worlds]:
    """Play a world, and give what serves it, and the others, by their state."""
    with tempfile.TemporaryDirectory(prefix="churnwatch-page-") as name, LocalRedis(Path(name) / "redis", appendonly=False) as server:
        full = full_world(server, Path(name), import_shop(Path(name)))
        try:
            yield partial(served, full=full, server=server, folder=Path(name))
        finally:
            full.close()


@contextmanager
def served(state: str, *, full: WebWorld, server: LocalRedis, folder: Path) -> Iterator[Place]:
    """Serve a world in a state, to people who have signed in, until the block ends; `full` is a world that was played, and is left as it is."""
    place = folder / f"served-{state}"
    place.mkdir()
    known = cast("State", state)
    if known in ("day_one", "warming"):
        world = make_world(known, server, place, app_name=f"served-{state}")
        if known == "warming":
            world.later([Click(NOW_MS, f"user-{n:05d}", b"user,2026-11-26,view") for n in range(LINES_OF_CSV)], NOW_MS + 1)
            world.rejected = REJECTED
    else:
        same = {"alerts__threshold": full.parts.settings["alerts.threshold"], "history__dir": full.parts.settings["history.dir"]}
        world = beside(full, known, server, place, same)
    try:
        with listening(world) as url:
            cookies = {role: _signed_in(world, login, role) for login, role in PEOPLE}
            if known == "full" and world.parts.asked.has_history:
                keep_a_board(world)
                warm(world, cookies["admin"])
            yield Place(url, cookies)
    finally:
        world.close()


@contextmanager
def listening(world: WebWorld) -> Iterator[str]:
    """Let a world listen, as the program does, and give its address."""
    config = uvicorn_config(world.parts.settings, world.app)
    config.port = 0
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    try:
        wait_until(lambda: server.started, 30, "the page listens")
        yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join()


def _signed_in(world: WebWorld, login: str, role: Role) -> dict[str, str]:
    with world.parts.store.write() as db:
        people.add_person(db, login=login, name=login, role=role, password_hash=HASHED, now_ms=world.now_ms)
    browser = world.browser()
    assert sign_in(browser, login).status_code == 303
    return dict(browser.cookies)
