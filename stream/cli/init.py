"""`init`: a settings file to begin with."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from stream.screen import Screen


def init(
    template: Annotated[str, typer.Option(help="kind of product; without it the kinds are listed")] = "",
    out: Annotated[Path, typer.Option(help="file to write")] = Path("churnwatch.toml"),
) -> None:
    """Write a commented settings file for a kind of product; a file that is there stays as it is."""
    from stream.faults import UsageFault
    from stream.settings.templates import template as text_of
    from stream.settings.templates import templates

    screen, kinds = Screen(), templates()
    if not template:
        for name, what in kinds.items():
            screen.line(f"{name:<10} {what}")
        screen.line("`churnwatch init --template NAME` writes churnwatch.toml; `churnwatch config example` prints every setting.")
        return
    if template not in kinds:
        raise UsageFault(f"there is no template {template}; there are {', '.join(kinds)}")
    try:
        with out.open("x", encoding="utf-8") as file:
            file.write(text_of(template))
    except FileExistsError:
        raise UsageFault(f"{out} is there already, and stays as it is: name another with --out") from None
    except OSError as error:
        raise UsageFault(f"{out}: {error.strerror}") from error
    screen.line(f"{out}: made. Put in your own event types and zone, then `churnwatch config check`.")
