"""`make docs` makes a site of every page, which needs no other host."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import pytest

from tests.test_docs import nav

ROOT = Path(__file__).parents[1]
LOADED = {"script": "src", "img": "src", "link": "href", "iframe": "src"}


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site, made by the recipe of the Makefile with folders of its own."""
    folder = tmp_path_factory.mktemp("site")
    recipe = re.search(r"^docs:.*\n\t\$\(BIN\)/python (.+)$", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert recipe is not None
    words = shlex.split(recipe[1].replace("build/", f"{folder}/"))
    done = subprocess.run([sys.executable, *words], cwd=ROOT, capture_output=True, text=True, timeout=280, check=False)
    assert done.returncode == 0, done.stderr
    return folder / "site"


class Loads(HTMLParser):
    """What a page has the browser load, and the pages that it links to."""

    def __init__(self, page: Path) -> None:
        super().__init__()
        self.loaded: list[str] = []
        self.linked: set[Path] = set()
        self._page = page
        self.feed(page.read_text())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        address = values.get(LOADED.get(tag, ""))
        if address:
            self.loaded.append(address)
        if tag == "a" and (to := (values.get("href") or "").partition("#")[0]).endswith(".html") and "://" not in to:
            self.linked.add((self._page.parent / to).resolve())


def test_readme_leads_to_every_page(site: Path) -> None:
    linked = Loads(site / "README.html").linked
    missing = {f"{page}.html" for of_one in nav().values() for page in of_one if (site / f"{page}.html").resolve() not in linked}
    assert not missing
    decisions = Loads(site / "docs" / "decisions" / "README.html").linked
    assert len([page for page in decisions if re.match(r"\d{4}-", page.name)]) >= 26


def test_nothing_comes_from_another_host(site: Path) -> None:
    pages = list(site.rglob("*.html"))
    assert len(pages) > 40
    for page in pages:
        assert not [address for address in Loads(page).loaded if re.match(r"(\w+:)?//", address)], page
    for style in site.rglob("*.css"):
        assert not re.findall(r"(?:@import|url\()\s*['\"]?(?:https?:)?//", style.read_text()), style


def test_the_client_is_described(site: Path) -> None:
    text = (site / "docs" / "site" / "client.html").read_text()
    assert 'id="churnwatch.client.Client.risk"' in text
    assert 'id="churnwatch.answers.Event"' in text
