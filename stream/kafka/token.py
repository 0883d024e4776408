"""The token of SASL OAUTHBEARER. Before the present one ends, a new one is read from the file or asked of the command."""

from __future__ import annotations

import base64
import json
import shlex
import subprocess
import threading
import time
from pathlib import Path
from typing import Any

from stream.faults import UsageFault
from stream.kafka.security import Security

COMMAND_S = 10.0
"""Longest time that the command may take."""
UNKNOWN_S = 300.0
"""Assumed life of a token that does not say when it ends."""
RENEW_SHARE = 0.8
"""A token is renewed after this share of the life it had when it was read."""


def ends_s(token: str) -> float | None:
    """Return when a JSON web token ends, s since the epoch; None when it does not say.

    >>> ends_s("eyJhbGciOiJub25lIn0.eyJleHAiOiA3fQ."), ends_s("opaque")
    (7.0, None)
    """
    try:
        part = token.split(".")[1]
        claims: Any = json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
        return float(claims["exp"])
    except (IndexError, KeyError, TypeError, ValueError):
        return None


class TokenSource:
    """Where tokens come from. It may be used from any thread."""

    def __init__(self, security: Security) -> None:
        self._security = security
        self._lock = threading.Lock()
        self._token, self._end_s, self._renew_s = "", 0.0, 0.0

    def token(self) -> str:
        """Return a token that is valid now.

        Raises
        ------
        UsageFault
            The file or the command gives none, or one that has ended.
        """
        return self.with_end()[0]

    def with_end(self) -> tuple[str, float]:
        """Return a token that is valid now, and when it ends in s since the epoch. Raises UsageFault as `token` does."""
        with self._lock:
            now_s = time.time()
            if now_s >= self._renew_s:
                self._token = self._fresh()
                self._end_s = ends_s(self._token) or now_s + UNKNOWN_S
                if self._end_s <= now_s:
                    raise UsageFault(f"the token of {self._whence} ended {now_s - self._end_s:.0f} s ago: it must be renewed there")
                self._renew_s = now_s + RENEW_SHARE * (self._end_s - now_s)
            return self._token, self._end_s

    @property
    def _whence(self) -> str:
        if self._security.token_file:
            return f"kafka.token_file (CHURNWATCH_KAFKA_TOKEN_FILE, {self._security.token_file})"
        return "kafka.token_command (CHURNWATCH_KAFKA_TOKEN_COMMAND)"

    def _fresh(self) -> str:
        if self._security.token_file:
            try:
                found = Path(self._security.token_file).read_text().strip()
            except OSError as error:
                raise UsageFault(f"{self._whence} cannot be read: {error.strerror}") from None
        else:
            found = self._ask()
        if not found or any(one.isspace() for one in found):
            raise UsageFault(f"{self._whence} gives no token: it must be one word, as it goes to the broker")
        return found

    def _ask(self) -> str:
        command = shlex.split(self._security.token_command)
        try:
            done = subprocess.run(command, capture_output=True, text=True, timeout=COMMAND_S, check=False, stdin=subprocess.DEVNULL)  # noqa: S603 - the operator's own command, without a shell
        except (OSError, subprocess.TimeoutExpired) as error:
            raise UsageFault(
                f"{self._whence} did not run: {error.strerror if isinstance(error, OSError) else f'took over {COMMAND_S:g} s'}"
            ) from None
        if done.returncode:
            raise UsageFault(f"{self._whence} ended with code {done.returncode}")  # what it printed may hold a secret
        return done.stdout.strip()
