"""How the site is made: Sphinx over the pages as they are in the repository, README first. `make docs` calls it.

The root of the sources is the repository, so a link from a page to a file, such as a schema, leads to a copy of that file in the site.
Nothing comes from another host: Furo brings its script and style, and uses the reader's fonts.
"""

from __future__ import annotations

import sys
from pathlib import Path

from sphinx.application import Sphinx

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE))

from nav import NAV  # noqa: E402 - Sphinx runs this file by its path, so its neighbour is found only now

project = "churnwatch"
author = "churnwatch"
root_doc = "README"
include_patterns = ["*.md", "docs/**.md", "docs/site/*.rst", "benchmarks/RESULTS.md"]
extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
templates_path = ["templates"]
default_role = "literal"  # what stands between single backticks in a docstring
smartquotes = False  # commands are copied from these pages

myst_heading_anchors = 3

napoleon_google_docstring = False
autodoc_typehints = "description"
autodoc_typehints_description_target = "documented"
autodoc_member_order = "bysource"

html_theme = "furo"
html_title = "churnwatch"
html_additional_pages = {"index": "index.html"}
html_copy_source = False
html_show_sphinx = False
html_use_index = False
html_domain_indices = False


def navigation(nav: dict[str, tuple[str, ...]]) -> str:
    """Return the tables of contents that stand beside every page, as text of MyST.

    >>> print(navigation({"SRE": ("docs/runbook",)}))
    ```{toctree}
    :caption: SRE
    :hidden:
    /docs/runbook
    ```
    """
    return "\n\n".join(
        "\n".join(["```{toctree}", f":caption: {who}", ":hidden:", *(f"/{page}" for page in pages), "```"]) for who, pages in nav.items()
    )


def add_navigation(_: Sphinx, page: str, source: list[str]) -> None:
    """Put the navigation behind the text of the first page, and the list of decisions behind theirs."""
    if page == root_doc:
        source[0] += "\n\n" + navigation(NAV)
    if page == "docs/decisions/README":
        source[0] += "\n\n```{toctree}\n:glob:\n:hidden:\n0*\n```\n"


def setup(app: Sphinx) -> None:
    """Called by Sphinx."""
    app.connect("source-read", add_navigation)
