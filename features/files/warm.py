"""Compile what the reading of files needs into the cache, or load it from there: ``python -m features.files.warm``."""

from __future__ import annotations

import tempfile
from pathlib import Path

from features.files.options import ReadOptions
from features.files.reader import EventFile
from features.files.summary import Summary

FILES = {"a.csv": "user,ts,type\na,2020-01-01,x\n", "b.jsonl": '{"user":"a","ts":1,"type":"x"}\n', "c.json": "[]"}
"""One small file of each form that a compiled pass reads."""


def warm() -> None:
    """Read small files."""
    with tempfile.TemporaryDirectory() as folder:
        for name, text in FILES.items():
            file = Path(folder) / name
            file.write_text(text)
            for _ in EventFile(file, ReadOptions(now_ms=0), Summary(name)).frames():
                pass


if __name__ == "__main__":
    warm()
