"""Which page of the site is whose? A heading for each kind of reader, and their pages in the order in which to read them.

A page that is in no list fails the build, as does a name without a page: `make docs` takes each warning for an error.
"""

NAV: dict[str, tuple[str, ...]] = {
    "Growth lead": (
        "docs/tutorial-growth",
        "docs/tutorial-growth.zh",
        "docs/analyses",
        "docs/boards",
        "docs/scale",
        "docs/reports",
        "docs/scenarios",
        "docs/features",
        "docs/learning",
        "docs/files",
    ),
    "Engagement developer": ("docs/tutorial-engagement", "docs/api", "docs/site/client", "docs/reasons"),
    "SRE": (
        "docs/tutorial-sre",
        "docs/runbook",
        "docs/metrics",
        "docs/history",
        "docs/security",
        "docs/page-access",
        "docs/erasing",
        "SECURITY",
    ),
    "Developer": ("CONTRIBUTING", "docs/architecture", "docs/page-looking", "docs/handover", "docs/decisions/README", "benchmarks/RESULTS"),
    "Everybody": ("docs/commands", "CHANGELOG"),
}
"""Sphinx names a page by its path without the ending."""
