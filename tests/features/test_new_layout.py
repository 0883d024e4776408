"""What README says of a feature that needs state of its own, done to a copy of the code: whatever was stored before still means what it meant."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
GOLDEN = ROOT / "tests" / "golden"
EDITS = (
    ("state.py", "LAYOUT_VERSION = 1\n", "LAYOUT_VERSION = 2\n"),
    ("state.py", 'Field("gap_max_s", _F4),\n', 'Field("gap_max_s", _F4),\n    Field("night_share", _F4, fresh=9, since=2),\n'),
    ("packed_state.py", "3: Form(1)}", "3: Form(1), 4: Form(2)}"),
)
READS_ALL = """
import json, sys
from pathlib import Path
import numpy as np
from {state} import state_dtype
from {packed} import FORM, pack_states, read_states
from {texts} import Texts

golden = Path(sys.argv[1])
checked = json.loads((golden / "checked_states.json").read_text())
for one in json.loads((golden / "first_build.json").read_text())["states"]:
    user, wide = one["user"], one["definitions"]
    for packed in (one["form 1"], one["form 2"], checked[user]):
        [row] = read_states([user], [bytes.fromhex(packed)], wide)
        assert {{name: np.asarray(row[name]).tolist() for name in one["fields"]}} == one["fields"]
        assert (row["version"], row["night_share"], len(row.dtype.names)) == (2, 9, len(state_dtype(wide).names))
        rows = np.array([row])
        rows["night_share"] = 0.25
        [new] = pack_states(rows, np.zeros(1, np.intp), Texts.of([user.encode()]))
        assert new[0] == FORM == 4
        assert read_states([user], [new], wide).tobytes() == rows.tobytes()
print("all read")
"""


def file_of(name: str) -> Path:
    [found] = (ROOT / "features").rglob(name)
    return found.relative_to(ROOT)


def module(name: str) -> str:
    return ".".join(file_of(name).with_suffix("").parts)


def test_a_field_is_added_as_readme_says_and_every_older_record_is_read_by_its_own_layout(tmp_path: Path) -> None:
    shutil.copytree(ROOT / "features", tmp_path / "features", ignore=shutil.ignore_patterns("__pycache__"))
    for name, old, new in EDITS:
        file = tmp_path / file_of(name)
        text = file.read_text()
        assert text.count(old) == 1, f"{name} no longer has {old!r}"
        file.write_text(text.replace(old, new))
    code = READS_ALL.format(state=module("state.py"), packed=module("packed_state.py"), texts=module("texts.py"))
    done = subprocess.run(
        [sys.executable, "-c", code, str(GOLDEN)],
        env={**os.environ, "PYTHONPATH": str(tmp_path)}, cwd=tmp_path, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.stdout == "all read\n", done.stderr
