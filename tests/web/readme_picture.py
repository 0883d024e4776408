"""The picture that README opens with: `python -m tests.web.readme_picture`.

Starts `churnwatch demo`, waits until it has gone on live, opens At risk in a real Chromium, and writes docs/pictures/at-risk.png with a palette of its own.
"""

from __future__ import annotations

import io
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

from PIL import Image
from playwright.sync_api import sync_playwright

from tests.servers.process import Program, wait_until

PICTURE = Path(__file__).parents[2] / "docs" / "pictures" / "at-risk.png"
WIDTH, HEIGHT = 1440, 900
MOST_BYTES = 200_000
FEWEST = 8
"""People on the list, so that the picture is full."""


def picture_of(url: str) -> bytes:
    """Return the page At risk as a laptop shows it, as a PNG."""
    with sync_playwright() as playwright:
        arguments = ["--no-sandbox"] if os.geteuid() == 0 else []  # Chromium refuses its sandbox to root
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=[*arguments, "--font-render-hinting=none"])
        page = browser.new_page(viewport={"width": WIDTH, "height": HEIGHT}, locale="en-US", color_scheme="light", reduced_motion="reduce")
        page.set_default_timeout(120_000)
        page.goto(f"{url}/at-risk")
        page.wait_for_function(f"document.querySelectorAll('main tbody tr').length >= {FEWEST}", polling=1_000)
        page.reload()
        page.evaluate("document.fonts.ready.then(() => true)")
        taken = page.screenshot(animations="disabled")
        browser.close()
    return taken


def with_palette(png: bytes) -> bytes:
    """Return the same picture in 256 colours, a third as large; small dots keep theirs."""
    out, picture = io.BytesIO(), Image.open(io.BytesIO(png)).convert("RGB")
    picture.quantize(256, method=Image.Quantize.MAXCOVERAGE, kmeans=1, dither=Image.Dither.NONE).save(out, "PNG", optimize=True)
    return out.getvalue()


def main() -> int:
    """Take it; return the exit code."""
    with tempfile.TemporaryDirectory() as folder:
        demo = Program(["demo", "--stay"], {}, Path(folder) / "log")
        try:
            wait_until(
                lambda: "Live at " in demo.text() or demo.process.poll() is not None,
                300,
                "the live part",
                demo.text,
                lambda: len(demo.text()),
            )
            found = re.search(r"Live at (http://\S+?):? ", demo.text())
            if found is None:
                sys.exit(f"the demo did not go on live:\n{demo.text()}")
            small = with_palette(picture_of(found[1]))
        finally:
            demo.signal(signal.SIGINT)
            try:
                demo.process.wait(20)
            except subprocess.TimeoutExpired:
                demo.kill()
    if len(small) > MOST_BYTES:
        sys.exit(f"the picture has {len(small):,} bytes, more than {MOST_BYTES:,}")
    PICTURE.parent.mkdir(exist_ok=True)
    PICTURE.write_bytes(small)
    print(f"{PICTURE.relative_to(Path.cwd())}: {len(small):,} bytes")
    return 0


if __name__ == "__main__":
    sys.exit(main())
