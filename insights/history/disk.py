"""Makes what was written outlast a power cut. delta-rs itself asks the disk for nothing."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

LOG = "_delta_log"
AT_ONCE = 16


def sync(path: Path) -> None:
    """Have the disk keep a file, or the names in a folder."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def sync_all(files: Sequence[Path]) -> None:
    """Have the disk keep files, and their names in their folders and in the folder above; together, since a disk keeps many as fast as one."""
    folders = {file.parent for file in files}
    with ThreadPoolExecutor(AT_ONCE) as pool:
        list(pool.map(sync, files))
        list(pool.map(sync, folders | {folder.parent for folder in folders}))


def entry(folder: Path, version: int) -> Path:
    """Return the file of the log that holds a version."""
    return folder / LOG / f"{version:020d}.json"


def drop_torn_entry(folder: Path) -> bool:
    """Remove the last entry of the log if a power cut tore it; return whether there was one.

    Its rows were never confirmed to anybody and its positions went with it, so they are read again. An entry before the last was synced
    before the next was begun, so only the last can be torn.
    """
    entries = sorted(one for one in (folder / LOG).glob("*.json") if one.stem.isdigit())
    if not entries or _is_whole(entries[-1]):
        return False
    entries[-1].unlink()
    sync(folder / LOG)
    return True


def _is_whole(path: Path) -> bool:
    content = path.read_bytes()
    try:
        lines = [json.loads(line) for line in content.splitlines()]
    except ValueError:
        return False
    return bool(lines) and all(isinstance(line, dict) for line in lines)
