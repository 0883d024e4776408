"""`python -m stream.cli.demo_page FILE`: the page of `churnwatch demo`, in a process of its own.

It is `churnwatch web`, but for one thing: Kafka's checksums are not checked, since those of the demo's broker in memory do not hold in transactions.
"""

from __future__ import annotations

import sys
from pathlib import Path

from insights.web.program import main
from stream.cli import context
from stream.demo.servers import settings_in

if __name__ == "__main__":
    context.log_to_stderr()
    sys.exit(main(settings_in(Path(sys.argv[1])), check_crcs=False))
