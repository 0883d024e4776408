"""`churnwatch web`: open what the pages read, serve until a signal, close it. Exit codes are those of `stream.processes.program`."""

from __future__ import annotations

import logging
import os
import threading
import time
from functools import partial
from types import FrameType
from typing import NamedTuple

import uvicorn
from starlette.types import ASGIApp

from features.store.redis import connect
from insights.live.clicks import Looks, Reads, Watch
from insights.live.engine import Engine
from insights.live.letters import Letters
from insights.past.follow import Follower
from insights.store.store import open_store
from insights.web.app import make_app
from insights.web.boards.seeds import plant_seeds
from insights.web.connections import Connections
from insights.web.door.at_start import refuse_without_access
from insights.web.door.tidy import EVERY_S, tidy_beside
from insights.web.parts import parts_over
from insights.web.report.runner import reports_and_watches
from insights.web.rounds import Rounds
from stream.faults import WebRefused
from stream.kafka.look import Looker
from stream.settings import Settings

log = logging.getLogger(__name__)

STOP_S = 3
"""Seconds that answers under way have at a stop: a stream of events would go on for ever."""
END_S = 6.0
"""Seconds after which a stop waits for nothing any more, so that it is over before whoever asked for it loses patience."""
REDIS_S = 2.0
"""Longest time that Redis is waited for, in seconds: somebody is looking at an empty page meanwhile."""


class Kafka(NamedTuple):
    """How the page asks Kafka.

    Attributes
    ----------
    looker : Looks
        Looks at the clicks.
    letters : Reads
        Reads what was rejected.
    check_crcs : bool
        See `insights.past.follow.Follower`.
    """

    looker: Looks
    letters: Reads
    check_crcs: bool = True


def main(settings: Settings, kafka: Kafka | None = None) -> int:
    """Serve the pages until SIGTERM; return the exit code.

    Parameters
    ----------
    kafka : Kafka, optional
        For a broker that must be asked otherwise than a real one.
    """
    kafka = kafka or Kafka(Looker(settings), Letters(settings))
    store = open_store(settings["page.store"])
    try:
        refuse_without_access(settings, store)
        engine = Engine(connect(settings["redis.url"], timeout_s=REDIS_S), settings["app.name"], now_ms)
        watch = Watch(kafka.looker, kafka.letters, engine, settings, now_ms)
        parts = parts_over(settings, engine, store, watch.intake, now_ms)
        plant_seeds(parts)
        stop = threading.Event()
        following = Follower(settings, store, lambda: engine.view().spec, parts.metrics, check_crcs=kafka.check_crcs).start(stop)
        watch.start()
        config = uvicorn_config(settings, make_app(parts))
        config.callback_notify, config.timeout_notify = partial(tidy_beside, store, now_ms), EVERY_S
        log.info("the page is at %s", settings["page.url"] or f"http://{settings['page.address']}")
        try:
            with parts.keeper, reports_and_watches(parts), Rounds("answers ahead", [parts.look_ahead]):
                _run(Server(config), settings["page.address"])
        finally:
            parts.asked.close()
            watch.stop()
            stop.set()
            following.join(STOP_S)
    finally:
        store.close()
    return 0


class Server(uvicorn.Server):
    """Serves, and is gone soon after the first signal whatever still hangs."""

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """See uvicorn."""
        if not self.should_exit:
            end = threading.Timer(END_S, _end)
            end.daemon = True
            end.start()
        super().handle_exit(sig, frame)


def _end() -> None:
    """End the process. Threads that ask a Kafka or a Redis which says nothing cannot be woken, and the interpreter would wait for each of them.

    Nothing is lost: what is written is written by transactions, and an event that Kafka has not acknowledged was not answered by 200.
    """
    log.warning("something still waits for Kafka or Redis, and is given up")
    os._exit(0)


def now_ms() -> int:
    """Return the time by the clock on the wall, ms since the epoch."""
    return int(time.time() * 1000)


def uvicorn_config(settings: Settings, app: ASGIApp, connections: Connections | None = None) -> uvicorn.Config:
    """Return how the application is served. Bounds stand in `insights.web.connections`, which uvicorn's own would only get in the way of."""
    host, _, port = settings["page.address"].rpartition(":")
    return uvicorn.Config(
        app, host=host.strip("[]"), port=int(port), log_config=None, access_log=False, server_header=False, lifespan="off", ws="none",
        http=(connections or Connections()).make,  # type: ignore[arg-type]  # uvicorn calls it as it would a class
        timeout_keep_alive=10, timeout_graceful_shutdown=STOP_S, proxy_headers=bool(settings["page.proxies"]), forwarded_allow_ips=list(settings["page.proxies"]),
    )  # fmt: skip


def _run(server: uvicorn.Server, address: str) -> None:
    try:
        server.run()
    except SystemExit as error:
        if server.started:
            raise
        raise WebRefused(
            f"page.address: cannot listen on {address} (the line above says why). A second page on this machine needs an address of its own, such as "
            "CHURNWATCH_PAGE=127.0.0.1:6081"
        ) from error
