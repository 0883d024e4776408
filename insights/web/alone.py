"""The pages over a history alone: no engine, no Kafka, no Redis. For whoever explores a file."""

from __future__ import annotations

import socket
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


class Alone:
    """Serves in a thread, from the beginning of the context to its end.

    Parameters
    ----------
    settings : Settings
        `history.dir`, `page.store` and `page.address` count; a port of 0 is any that is free.

    Raises
    ------
    WebRefused
        The address cannot be listened on.
    """

    def __init__(self, settings: Settings) -> None:
        self._store = open_store(settings["page.store"])
        refuse_without_access(settings, self._store)
        self._parts = parts_over(
            settings, Engine(connect(NOWHERE), settings["app.name"], now_ms), self._store, lambda: None, now_ms, live=False
        )
        host, _, port = settings["page.address"].rpartition(":")
        try:
            self._socket = socket.create_server((host.strip("[]"), int(port)))
        except OSError as error:
            raise WebRefused(
                f"{settings['page.address']} cannot be listened on ({error.strerror}): name another, such as 127.0.0.1:6081"
            ) from error
        self.url = f"http://{host}:{self._socket.getsockname()[1]}"
        self._server = Server(uvicorn_config(settings, make_app(self._parts)))
        self._thread = threading.Thread(target=self._server.run, args=([self._socket],), name="pages", daemon=True)

    def __enter__(self) -> Self:
        """Begin to serve."""
        self._thread.start()
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
