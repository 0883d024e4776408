"""Run a file of cases: `python -m tests.insights.cases FILE`. Prints how many hold and names the others; the exit code is 1 unless all hold."""

from __future__ import annotations

import sys
import traceback
from pathlib import Path
from typing import Any

from tests.insights.cases.case import Case, crowd_of_case, holds, plain, read_cases
from tests.insights.cases.kinds import KINDS


def fault_of(case: Case) -> str | None:
    """Why a case does not hold; None if it does."""
    kind = case.query["kind"]
    if kind not in KINDS:
        return f"no analysis answers {kind} yet"
    crowd = crowd_of_case(case)
    try:
        answer: Any = KINDS[kind](crowd, case.query)
    except Exception as error:  # noqa: BLE001 - one case must not hide the others
        return "".join(traceback.format_exception_only(error)).strip()
    finally:
        crowd.close()
    return None if holds(case.expected, answer) else f"expected {plain(case.expected)}, got {answer}"


def main(argv: list[str]) -> int:
    if len(argv) != 1:
        print("usage: python -m tests.insights.cases FILE", file=sys.stderr)
        return 2
    cases = read_cases(Path(argv[0]))
    faults = {case.name: fault for case in cases if (fault := fault_of(case)) is not None}
    print(f"{len(cases) - len(faults)} of {len(cases)} cases hold")
    for name, fault in faults.items():
        print(f"  {name}: {fault}")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
