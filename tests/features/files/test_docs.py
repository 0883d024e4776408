"""docs/files.md says what the tables say."""

from __future__ import annotations

from pathlib import Path

import pytest

from features.files.faults import reasons_markdown
from features.files.shapes import shapes_markdown

PAGE = Path(__file__).parents[3] / "docs" / "files.md"


@pytest.mark.parametrize(("part", "table"), [("shapes", shapes_markdown()), ("reasons", reasons_markdown())])
def test_the_page_has_the_tables_of_the_code(part: str, table: str) -> None:
    text = PAGE.read_text()
    inner = text.partition(f"<!-- {part}: begin -->\n")[2].partition(f"\n<!-- {part}: end -->")[0]
    assert inner == table
