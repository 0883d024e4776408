"""`demo` and `simulate`: a made-up product with known leavers."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from stream.cli import context
from stream.cli.language import LangOption
from stream.faults import UsageFault
from stream.screen import Screen

if TYPE_CHECKING:
    from insights.scenarios.scenario import Scenario


def demo(
    scenario: Annotated[str, typer.Option(help="a product with planted causes of churn; an unknown name lists them")] = "",
    days: Annotated[int | None, typer.Option(min=1, max=365, help="days that go by fast; default 90, or the scenario's")] = None,
    users: Annotated[int | None, typer.Option(min=50, max=20_000, help="users at the start (800), or who join a scenario (1,500)")] = None,
    seed: Annotated[int, typer.Option(help="same seed, same product")] = 7,
    lang: LangOption = "en",
    stay: Annotated[bool | None, typer.Option(help="go on live after them, until Ctrl-C; default: at a terminal")] = None,
) -> None:
    """Play a product with its page and its history: many days in about a minute, alerts as they come, how many leavers were caught; then on, live.

    Of a scenario it says in the end which planted causes the pages found, and where.
    """
    from stream.cli.scenes import USERS, crowd_of, scene_of
    from stream.demo.play import play
    from stream.demo.scene import plain

    if scenario:
        made = _named(scenario)
        scene = scene_of(made, days=days or made.days, users=users or USERS, seed=seed, lang=lang)
        causes = made.causes
    else:
        scene, causes = plain(days=days or 90, users=users or 800, seed=seed, lang=lang), ()
    raise typer.Exit(play(scene, crowd_of(causes, lang), stay=sys.stdout.isatty() if stay is None else stay))


def _named(name: str) -> Scenario:
    """Return a scenario. Raises UsageFault, with the names that there are, for another."""
    from insights.scenarios.scenario import load, names

    if name not in names():
        raise UsageFault(f"there is no scenario {name!r}: {', '.join(names())}")
    return load(name)


def simulate(
    out: Annotated[
        Path | None, typer.Option(help="write here instead of sending to the clicks topic: JSONL; of a scenario also .parquet or .csv")
    ] = None,
    days: Annotated[int | None, typer.Option(min=1, max=3650, help="days to make up; default 60, or the scenario's")] = None,
    users: Annotated[int | None, typer.Option(min=1, max=1_000_000, help="users at the start (600), or who join a scenario")] = None,
    seed: Annotated[int, typer.Option(help="same seed, same product")] = 7,
    scenario: Annotated[str, typer.Option(help="a product with planted causes of churn; an unknown name lists them")] = "",
    truth: Annotated[Path | None, typer.Option(help="of a scenario: write what is true here, as JSON")] = None,
    without: Annotated[str, typer.Option(help="of a scenario: leave out this cause")] = "",
    end: Annotated[str, typer.Option(help="of a scenario: the day on which it ends, UTC")] = "2026-01-01",
) -> None:
    """Make up events: of the demo's product, the last one now, for a topic or a file; or of a scenario, whose causes of churn are known."""
    screen = Screen()
    if scenario:
        if out is None:
            raise UsageFault(
                "say --out FILE: a scenario is written to a file; `churnwatch ingest FILE` or `history import FILE` takes it from there"
            )
        for line in _scenario(scenario, out, days=days, users=users, seed=seed, truth=truth, without=without, end=end):
            screen.line(line)
        return
    if truth or without:
        raise UsageFault("--truth and --without go with --scenario")
    from stream.demo.feed import send, write

    days, users = days or 60, users or 600
    if out is not None:
        screen.line(f"{write(out, days=days, users=users, seed=seed):,} events in {out}")
    else:
        screen.line(f"{send(context.settings(), days=days, users=users, seed=seed):,} events sent")


def _scenario(
    name: str, out: Path, *, days: int | None, users: int | None, seed: int, truth: Path | None, without: str, end: str
) -> Iterator[str]:
    """Play a scenario into a file; say what was planted."""
    import msgspec

    from insights.scenarios.play import play
    from insights.scenarios.write import FORMS, frame_of, truth_of, write_events

    scenario = _named(name)
    if without:
        known = [cause.name for cause in scenario.causes]
        if without not in known:
            raise UsageFault(f"{name} has no cause {without!r}: {', '.join(known)}")
        scenario = scenario.without(without)
    if out.suffix not in FORMS:
        raise UsageFault(f"{out}: the name must end in {', '.join(FORMS)}")
    try:
        end_ms = int(datetime.strptime(end, "%Y-%m-%d").replace(tzinfo=UTC).timestamp() * 1000)
    except ValueError:
        raise UsageFault(f"--end {end!r} is no day such as 2026-01-01") from None
    played = play(scenario, end_ms=end_ms, days=days or scenario.days, users=users or scenario.users, seed=seed)
    write_events(frame_of(scenario, played), out)
    found = truth_of(scenario, played, seed)
    if truth is not None:
        truth.write_bytes(msgspec.json.format(msgspec.json.encode(found), indent=1))
    yield f"{scenario.title['en']}: {found.events:,} events of {found.users:,} users in {out}; {found.left:,} left for good"
    for cause in found.causes:
        yield f"  {cause.name}: {cause.says['en']} {cause.touched:,} met it" + (
            f", {cause.left:,} left because of it" if cause.left else ""
        )
