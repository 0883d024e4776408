"""`python -m stream.cli.demo_page FILE`: the page of `churnwatch demo`, in a process of its own.

It is `churnwatch web`, but for how it asks Kafka: the demo's broker in memory does not say who takes clicks, and its checksums do not hold in transactions.
"""

from __future__ import annotations

import sys
from pathlib import Path

from insights.live.letters import Tally
from insights.web.program import Kafka, main
from stream.cli import context
from stream.demo.embedded import EmbeddedLooker
from stream.demo.process import end_with_the_demo
from stream.demo.servers import settings_in


class NoLetters:
    """The made-up product sends nothing that must be rejected."""

    def __init__(self) -> None:
        self.tally = Tally()

    def read(self) -> None:
        """See `insights.live.clicks.Reads`."""

    def close(self) -> None:
        """See `insights.live.clicks.Reads`."""


if __name__ == "__main__":
    context.log_to_stderr()
    end_with_the_demo()
    settings = settings_in(Path(sys.argv[1]))
    sys.exit(main(settings, Kafka(EmbeddedLooker(settings), NoLetters(), check_crcs=False)))
