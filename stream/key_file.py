"""A key or token of one's own, in a file that nobody else on this machine can read."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

BYTES = 32


def make_key_file(file: Path) -> bool:
    """Write a random key into a new file of mode 0600; return whether it was made.

    A file that is there stays as it is, because whatever its key has signed still needs it.


    Raises
    ------
    OSError
        The folder is not there, or may not be written to.
    """
    try:
        opened = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return False
    with os.fdopen(opened, "w") as into:
        into.write(secrets.token_urlsafe(BYTES) + "\n")
    return True
