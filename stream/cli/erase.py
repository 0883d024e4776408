"""`erase`: forget users everywhere, and say what is left of them where."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from stream.cli import context
from stream.cli.judged_files import bar
from stream.cli.made_store import forget_made
from stream.faults import UsageFault
from stream.screen import Column, Screen

if TYPE_CHECKING:
    import redis

    from features.store.app_spec import AppSpec
    from stream.kafka.erasures import Sent
    from stream.ownership.erased import Held
    from stream.settings import Settings

NOT_DONE = 1
"""Exit code where something is left: time and `--check` tell when it is done."""
POLL_S = 0.3


Ids = Annotated[list[str] | None, typer.Argument(metavar="[USER]...", help="ids of the users")]
FileOfIds = Annotated[Path | None, typer.Option(help="a file with an id on each line; - for standard input")]
Yes = Annotated[bool, typer.Option("--yes", help="do it; without, only say what it would do")]
Now = Annotated[bool, typer.Option("--now", help="take them out of the history's files at once, not with the next nightly pass")]
Check = Annotated[bool, typer.Option("--check", help="say what is left of them where; change nothing")]
Patience = Annotated[float, typer.Option(min=0, help="with --now: seconds that files stay for questions which began before")]


def erase(
    users: Ids = None,
    file: FileOfIds = None,
    yes: Yes = False,
    now: Now = False,
    check: Check = False,
    wait: Annotated[float, typer.Option(min=0, help="seconds to wait for the workers")] = 60.0,
    patience: Patience = 60.0,
) -> None:
    """Forget users: in the engine, in the history, and for all who read the alerts. Ends with 1 while something is left.

    What it does where, and what only Kafka's retention ends: docs/erasing.md.
    """
    names = _names(users or [], file)
    _run(_Place.of(context.settings()), names, yes=yes, now=now, check=check, wait_s=wait, patience_s=patience)


def erase_from_history(
    users: Ids = None, file: FileOfIds = None, yes: Yes = False, now: Now = False, check: Check = False, patience: Patience = 60.0
) -> None:
    """Forget users in a history that no app writes. Needs no server; where there is an app, say `churnwatch erase`."""
    names, settings = _names(users or [], file), context.settings()
    if (folder := _history_of(settings)) is None:
        raise UsageFault(f"there is no history in {settings['history.dir']}: is CHURNWATCH_HISTORY right?")
    _run(_Place(settings, None, None, folder), names, yes=yes, now=now, check=check, wait_s=0.0, patience_s=patience)


def _run(place: _Place, names: Sequence[str], *, yes: bool, now: bool, check: bool, wait_s: float, patience_s: float) -> None:
    screen = Screen()
    if check:
        raise typer.Exit(0 if _say_what_is_left(screen, place, names) else NOT_DONE)
    named = len(names)
    names = place.whole_persons(names)
    before = place.held(names)
    if len(names) > named:
        screen.line(f"{len(names) - named:,} more ids are theirs by alias events in the history, and are erased with them")
    for line in _plan(place, names, before, now=now):
        screen.line(line)
    if not yes:
        screen.line("say --yes to do it; it cannot be undone")
        return
    sent = place.send(names, before)
    place.note_in_history(names, sent)
    if place.client is None:  # else the page does it when it reads of the erasure
        forget_made(names)
    applied = place.wait_for_engine(sent, wait_s)
    if place.history is not None and now:
        _out_of_history(screen, place.history, patience_s)
    if place.client is not None and now:
        place.rewrite_log_of_redis(screen)
    if not applied:
        screen.line(
            f"the workers are not done within {wait_s:g} s: it is in the log, and they will be; `churnwatch erase --check` says when"
        )
    raise typer.Exit(0 if _say_what_is_left(screen, place, names) else NOT_DONE)


@dataclass(slots=True)
class _Place:
    """Where users may be known."""

    settings: Settings
    client: redis.Redis | None
    spec: AppSpec | None
    """None, as the client, where there is only a history."""
    history: Path | None

    @classmethod
    def of(cls, settings: Settings) -> _Place:
        from features.store.redis import connect, load_spec

        client = connect(settings["redis.url"])
        spec = load_spec(client, settings["app.name"])
        if spec is None:
            raise UsageFault(
                f"nothing is stored for app {settings['app.name']!r}: are CHURNWATCH_APP and CHURNWATCH_REDIS right? "
                "For a history that no app writes there is `churnwatch history erase`"
            )
        place = cls(settings, client, spec, _history_of(settings))
        place.must_erase()
        return place

    @property
    def app(self) -> str:
        name: str = self.settings["app.name"]
        return name

    def whole_persons(self, names: Sequence[str]) -> list[str]:
        """Return the ids with all that the history knows to be of the same persons; the engine knows of none."""
        from insights.history.erasing import whole_persons

        return list(names) if self.history is None else whole_persons(self.history, names)

    def must_erase(self) -> None:
        """Refuse where a record of type `erase` would be taken for an event like others."""
        from stream.ownership.erase import must_erase

        if self.spec is not None and self.client is not None:
            must_erase(self.client, self.app, self.spec)

    def held(self, names: Sequence[str]) -> list[Held]:
        """Return what Redis holds of each of them, by shard."""
        from stream.ownership.erased import held

        return [] if self.spec is None or self.client is None else list(held(self.client, self.app, self.spec.partitions, names))

    def send(self, names: Sequence[str], before: Iterable[Held]) -> list[Sent]:
        """Put the erasures into the log."""
        from stream.ownership.erase import send

        return [] if self.spec is None else send(self.settings, self.spec, names, before)

    def note_in_history(self, names: Sequence[str], sent: Sequence[Sent]) -> None:
        """Tell the history, which then keeps nothing of them that may still come; its own reader of the log finds that it knows already."""
        from insights.history.erasures import ERASE, Erasures

        if self.history is None:
            return
        at = datetime.now(UTC)
        records = [(one.user, ERASE, _time(one.arrived_ms), _time(one.ts_ms), one.partition, one.offset) for one in sent]
        Erasures.make(self.history).register(records or [(name, ERASE, at, at, -1, 0) for name in names])

    def wait_for_engine(self, sent: Sequence[Sent], wait_s: float) -> bool:
        """Wait until each shard has come to its records, and Redis holds nothing of it any more; return whether that is so."""
        if not sent:
            return True
        names, until = sorted({one.user for one in sent}), time.monotonic() + wait_s
        wanted = {(one.user, one.partition): one.arrived_ms for one in sent}
        with bar("waiting for the workers", len(wanted)) as told:
            while True:
                applied = {
                    (one.user, one.partition)
                    for one in self.held(names)
                    if (one.erased_ms or 0) >= wanted.get((one.user, one.partition), 2**63)
                }
                told(len(applied))
                if len(applied) == len(wanted) and not self.on_their_way(names):
                    return True
                if time.monotonic() >= until:
                    return False
                time.sleep(POLL_S)

    def on_their_way(self, names: Sequence[str]) -> int:
        """Return how many messages that name one of them wait in Redis for Kafka."""
        from stream.ownership.erased import on_their_way

        return 0 if self.spec is None or self.client is None else on_their_way(self.client, self.app, self.spec.partitions, names)

    def rewrite_log_of_redis(self, screen: Screen) -> None:
        """Have Redis write its append-only file anew, since that holds what was deleted until then."""
        from redis.exceptions import RedisError

        try:
            if self.client is not None:
                self.client.bgrewriteaof()
        except RedisError as error:
            screen.line(
                f"Redis was not made to rewrite its append-only file ({type(error).__name__}): have its administrator say BGREWRITEAOF"
            )


def _history_of(settings: Settings) -> Path | None:
    from insights.history.disk import LOG
    from insights.history.tables import EVENTS

    folder = Path(settings["history.dir"])
    return folder if (folder / EVENTS.name / LOG).is_dir() else None


def _names(users: Sequence[str], file: Path | None) -> list[str]:
    from features.events.event import Rejected, check_user

    lines: list[str] = []
    if file is not None:
        lines = (sys.stdin.read() if str(file) == "-" else file.read_text()).splitlines()
    names = list(dict.fromkeys(one for one in (*users, *lines) if one.strip()))
    if not names:
        raise UsageFault("name the users, or a file with an id on each line (--file)")
    for number, name in enumerate(names, 1):
        try:
            check_user(name)
        except Rejected as error:
            raise UsageFault(f"id {number} cannot be one of a user: {error}") from None
    return names


def _plan(place: _Place, names: Sequence[str], before: Sequence[Held], *, now: bool) -> list[str]:
    """Say what will be done, without an id."""
    known = {one.user for one in before if one.state}
    said = []
    if place.spec is not None:
        said.append(
            f"{len(names):,} to erase, {len(known):,} of them known to the engine: state, timers, pending snapshots and mirror are deleted, open alerts end "
            "with cause `erased`, and nothing of them counts until they consent again"
        )
    if place.history is not None:
        when = (
            "at once; the files that held them go --patience later"
            if now
            else "with the next nightly pass of `churnwatch history run`, or at once with --now"
        )
        if place.spec is None:
            said.append(f"{len(names):,} to erase; nothing of them is taken in again")
        said.append(f"their rows leave the history in {place.history} {when}")
    if place.spec is not None:
        said.append(
            "what lies in Kafka (clicks, alerts, dead letters, examples) stays until its retention: docs/erasing.md has the commands"
        )
    return said


def _out_of_history(screen: Screen, folder: Path, patience_s: float) -> None:
    from insights.history.erasing import delete, erase_all

    with bar("history", 4) as told:
        done: list[str] = []

        def progress(table: str) -> None:
            done.append(table)
            told(len(done))

        removed = erase_all(folder, progress)
    rows = ", ".join(f"{count:,} of {table}" for table, count in removed.rows.items())
    screen.line(f"rows removed: {rows or 'none'}; {removed.files:,} files written anew")
    if removed.left:
        screen.line(f"{len(removed.left):,} files that held them stay {patience_s:g} s more, for questions that began before")
        delete(removed.left, patience_s)


def _say_what_is_left(screen: Screen, place: _Place, names: Sequence[str]) -> bool:
    """Print what is left of them where; return whether nothing is, as far as it is ours."""
    rows: list[tuple[str, str, str]] = []
    if place.spec is not None:
        rows += _left_in_engine(place, names)
    if place.history is not None:
        rows += _left_in_history(place.history, names)
    screen.table([Column("where"), Column("state"), Column("what is left", wrapped=True)], rows)
    return all(state == "done" for _, state, _ in rows)


def _left_in_engine(place: _Place, names: Sequence[str]) -> Iterable[tuple[str, str, str]]:
    found = place.held(names)
    known, erased = {one.user for one in found if one.state}, {one.user for one in found if one.erased_ms is not None}
    yield _row("engine", len(known), f"{len(known):,} are known")
    yield _row("set aside", len(names) - len(erased), f"{len(names) - len(erased):,} were never erased, so what comes of them counts")
    waiting = place.on_their_way(names)
    yield _row("on its way", waiting, f"{waiting:,} messages that name them wait for Kafka, and leave Redis with the next commits")


def _left_in_history(folder: Path, names: Sequence[str]) -> Iterable[tuple[str, str, str]]:
    from insights.history.erasing import rows_of
    from insights.history.erasures import Erasures

    erasures = Erasures.find(folder)
    noted = 0 if erasures is None else len(erasures.of(names))
    yield _row("history: noted", len(names) - noted, f"{len(names) - noted:,} are not noted as erased")
    for table, count in rows_of(folder, names).items():
        yield _row(f"history: {table}", count, f"{count:,} rows, until the next pass")


def _row(where: str, left: int, what: str) -> tuple[str, str, str]:
    return (where, "open", what) if left else (where, "done", "")


def _time(ms: int) -> datetime:
    return datetime.fromtimestamp(ms / 1000, UTC)
