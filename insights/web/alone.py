"""The pages over a history alone: no engine, no Kafka, no Redis. For whoever explores a file."""

from __future__ import annotations

import contextlib
import threading
from types import TracebackType
from typing import Self

from features.store.redis import connect
from insights.live.engine import Engine
from insights.store.store import open_store
from insights.web.app import make_app
from insights.web.door.at_start import refuse_without_access
from insights.web.parts import parts_over
from insights.web.program import Server, now_ms, uvicorn_config
from stream.faults import WebRefused
from stream.settings import Settings

NOWHERE = "redis://127.0.0.1:1"
"""No engine is asked; whatever would ask one is refused at once."""
LOOK_S = 0.02


class Alone:
    """Serves in a thread, from the beginning of the context to its end.

    Parameters
    ----------
    settings : Settings
        `history.dir`, `page.store` and `page.address` count.
    """

    def __init__(self, settings: Settings) -> None:
        self._store = open_store(settings["page.store"])
        refuse_without_access(settings, self._store)
        self._parts = parts_over(
            settings, Engine(connect(NOWHERE), settings["app.name"], now_ms), self._store, lambda: None, now_ms, live=False
        )
        self._address = settings["page.address"]
        self.url = f"http://{self._address}"
        self._server = Server(uvicorn_config(settings, make_app(self._parts)))
        self._thread = threading.Thread(target=self._run, name="pages", daemon=True)

    def _run(self) -> None:
        with contextlib.suppress(SystemExit):  # by which uvicorn says that it cannot listen
            self._server.run()

    def __enter__(self) -> Self:
        """Begin to serve. Raises WebRefused where the address cannot be listened on."""
        self._thread.start()
        while self._thread.is_alive() and not self._server.started:
            self._thread.join(LOOK_S)
        if not self._server.started:
            self.__exit__(None, None, None)
            raise WebRefused(f"{self._address} cannot be listened on: name another with --address, such as 127.0.0.1:6081")
        return self

    def wait(self) -> None:
        """Wait until somebody ends it."""
        self._thread.join()

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        """End."""
        self._server.should_exit = True
        self._thread.join()
        self._parts.asked.close()
        self._store.close()
