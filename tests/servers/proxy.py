"""A TCP proxy on loopback that can lose the answer to a request after the server got it, swallow everything, or turn clients away."""

from __future__ import annotations

import contextlib
import socket
import threading
from typing import Self


class Proxy:
    """Stands before one server; each connection has two threads.

    Attributes
    ----------
    port : int
        Where clients connect.
    lost : int
        Answers lost so far.
    """

    def __init__(self, target_port: int) -> None:
        self._target = ("127.0.0.1", target_port)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listener.getsockname()[1])
        self.lost = 0
        self._lose: list[bytes] = []
        self._silent = self._closed = False
        self._lock = threading.Lock()
        self._sockets: set[socket.socket] = set()
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}"

    def lose_answers(self, marker: bytes, times: int = 1) -> None:
        """Let the next requests that contain these bytes pass; when the server has answered, cut the connection instead."""
        with self._lock:
            self._lose += [marker] * times

    def swallow(self, silent: bool) -> None:
        """Answer nobody, but keep connections open; requests still reach the server."""
        self._silent = silent

    def cut_all(self) -> None:
        """Break every connection there is."""
        with self._lock:
            sockets = list(self._sockets)
        for one in sockets:
            _break(one)

    def close(self) -> None:
        """Turn away everybody from now on."""
        self._closed = True
        _break(self._listener)
        self.cut_all()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _accept(self) -> None:
        while not self._closed:
            try:
                client, _ = self._listener.accept()
                server = socket.create_connection(self._target)
            except OSError:
                continue
            with self._lock:
                self._sockets |= {client, server}
            doomed = threading.Event()
            threading.Thread(target=self._requests, args=(client, server, doomed), daemon=True).start()
            threading.Thread(target=self._answers, args=(client, server, doomed), daemon=True).start()

    def _requests(self, client: socket.socket, server: socket.socket, doomed: threading.Event) -> None:
        tail = b""
        with contextlib.suppress(OSError):
            while data := client.recv(1 << 16):
                window = tail + data
                with self._lock:
                    for marker in self._lose:
                        if marker in window:
                            self._lose.remove(marker)
                            # before the bytes go on, so that no answer can be faster
                            doomed.set()
                            break
                tail = window[-64:]
                server.sendall(data)
        _break(server)

    def _answers(self, client: socket.socket, server: socket.socket, doomed: threading.Event) -> None:
        with contextlib.suppress(OSError):
            while data := server.recv(1 << 16):
                if doomed.is_set():
                    self.lost += 1
                    break
                if not self._silent:
                    client.sendall(data)
        _break(client)
        _break(server)
        with self._lock:
            self._sockets -= {client, server}


def _break(one: socket.socket) -> None:
    with contextlib.suppress(OSError):
        one.shutdown(socket.SHUT_RDWR)
    one.close()
