"""`model`: the versions in the registry, which one serves, and what a person may change about that."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from stream.cli import context
from stream.faults import UsageFault
from stream.screen import Column, Screen
from stream.shown import Styled

if TYPE_CHECKING:
    from online_models.checkpoint import Header
    from online_models.judged import Judged
    from online_models.registry_redis import RedisRegistry
    from online_models.scorer import Scorer
    from stream.settings import Settings

model_app = typer.Typer(no_args_is_help=True)
Name = Annotated[str, typer.Option("--definition", "-d", help="churn definition; default: the first of the settings")]
Number = Annotated[int, typer.Argument(help="version", min=1)]


class _Book:
    """The versions of one definition."""

    def __init__(self, definition: str) -> None:
        from features.store.redis import connect
        from online_models.registry_redis import RedisRegistry
        from stream.ownership.served import model_key

        self.settings: Settings = context.settings()
        names = [one.name for one in self.settings.definitions]
        self.name = definition or names[0]
        if self.name not in names:
            raise UsageFault(f"no definition {self.name!r}; the settings have {', '.join(names)}")
        self.registry: RedisRegistry = RedisRegistry(connect(self.settings["redis.url"]), self.settings["app.name"])
        self.key = model_key(self.settings)

    def since(self) -> str:
        """Say since when the definition is valid."""
        from features.store.redis import load_spec
        from stream.ownership.stored import stored_metas
        from stream.shard.since import since_in_words

        app = self.settings["app.name"]
        stored = load_spec(self.registry.client, app)
        definition = next(one for one in self.settings.definitions if one.name == self.name)
        metas = stored_metas(self.registry.client, app, stored.partitions) if stored is not None else {}
        return since_in_words(definition, metas) if metas else "no worker has committed yet"

    def numbers(self) -> list[int]:
        """Versions there are, oldest first."""
        return sorted(self.registry.versions(self.name))

    def sealed(self, number: int) -> bytes:
        """Return one version as it stands in the registry."""
        found = self.registry.load(self.name, number)
        if found is None:
            kept = ", ".join(map(str, self.numbers())) or "none yet: the rule serves until enough labels have matured"
            raise UsageFault(f"no version {number} of {self.name!r}; there are: {kept}")
        return found

    def read(self, number: int) -> tuple[Header, Scorer]:
        """Return one version, checked."""
        from online_models.checkpoint import unseal_version

        return unseal_version(self.sealed(number), self.key, None)

    def newest(self) -> int:
        """Return the newest number; 0 if there is no version yet."""
        return max(self.numbers(), default=0)

    def serving(self) -> int:
        """Return the number that workers serve now."""
        return self.registry.wish(self.name).version or self.newest()


def _day(at_ms: int) -> str:
    return datetime.fromtimestamp(at_ms / 1000, UTC).strftime("%Y-%m-%d %H:%M")


def _figures(screen: Screen, title: str, rows: Mapping[str, Mapping[str, float | None]]) -> None:
    from online_models.quality import FIGURES, figures_in_words

    columns = [Column(title, shortened=True), *(Column(heading, right=True) for heading in FIGURES.values())]
    screen.table(columns, [(name, *figures_in_words(row)) for name, row in rows.items()])


def _calibration(screen: Screen, title: str, groups: Iterable[tuple[str, Judged]]) -> None:
    """Print what was stated against what came true. Labels of one user or of one day depend on each other, so real intervals are wider still."""
    rows = []
    for name, group in groups:
        if group.n:
            stated, churned = group.shares()
            by_chance = 2 * (stated * (1 - stated) / group.n) ** 0.5
            rows.append((name, f"{group.n:,}", f"{stated:.3f}", f"{churned:.3f}", f"{stated - churned:+.3f}", f"{by_chance:.3f}"))
    if rows:
        screen.table([Column(name, right=name != title) for name in (title, "labels", "stated", "churned", "too high by", "chance")], rows)


@model_app.command("ls")
def ls(definition: Name = "") -> None:
    """List the kept versions: which one serves, until when each has learned, and how good it was over its window."""
    book, screen = _Book(definition), Screen()
    serving, wish = book.serving(), book.registry.wish(book.name)
    rows = []
    for number in book.numbers():
        header, _ = book.read(number)
        row = header.figures.get(header.champion, {})
        notes = [("serves", number == serving), ("pinned", number == wish.version), (header.why, bool(header.why))]
        figures = ("" if row.get(name) is None else f"{row[name]:.4f}" for name in ("log_loss", "auc", "ece"))
        learned = (_day(header.learned_until_ms), f"{header.labels:,}", f"{header.churned:,}")
        rows.append((str(number), header.champion, *learned, *figures, ", ".join(note for note, true in notes if true)))
    screen.line(Styled(book.name, "bold"), " ", book.since())
    if rows:
        figures_of = ("version", "model", "learned until", "labels", "churned", "log-loss", "AUC", "ECE")
        screen.table([*(Column(name, right=name not in {"model", "learned until"}) for name in figures_of), Column("", wrapped=True)], rows)
    else:
        screen.line(
            f"{book.name}: no version yet. The rule serves until {book.settings['learning.min_labels']} labels of each class have matured."
        )
    if wish.candidate:
        screen.line(f"asked for: {wish.candidate} (churnwatch model promote --best gives it back)")


@model_app.command()
def show(number: Annotated[int, typer.Argument(help="version; default: the one that serves")] = 0, definition: Name = "") -> None:
    """Show one version: what it learned, its candidates, quality by segment, stated risk against what came, what it looks at."""
    import numpy as np

    from features.definitions.definition import DAY_MS
    from online_models.checkpoint import sample_of
    from online_models.explain import importances
    from online_models.judged import tenths_in_words

    book = _Book(definition)
    chosen = number or book.serving()
    header, scorer = book.read(chosen)
    screen = Screen()
    screen.line(Styled(book.name, "bold"), f" version {header.number}: {header.champion}" + (f" ({header.why})" if header.why else ""))
    screen.line(
        f"{header.labels:,} labels learned, {header.churned:,} churned, until {_day(header.learned_until_ms)}; feature spec {header.spec_hash}; "
        f"churnwatch {header.churnwatch}, River {header.river}, numpy {header.numpy}, Python {header.python}"
    )
    screen.line("Over the window of matured labels:")
    _figures(screen, "candidate", header.figures)
    screen.line("")
    screen.line(f"Its champion, {header.champion}, over the same window:")
    _figures(screen, "segment", header.segments)
    _calibration(screen, "risk", tenths_in_words(header.tenths))
    if header.days:
        screen.line("By day of the landmark (UTC), over the newest days with outcomes, whoever served then:")
        _calibration(screen, "day", [(_day(day * DAY_MS)[:10], group) for day, group in sorted(header.days.items())])
    sample = sample_of(book.sealed(chosen), book.key)
    if len(sample):
        screen.line("looks at: " + ", ".join(f"{name} {size:.2f}" for name, size in importances(scorer, np.array(sample))[:10]))


@model_app.command()
def compare(one: Number, other: Number, definition: Name = "") -> None:
    """Show two versions side by side, and how much their scores differ."""
    import numpy as np

    from online_models.checkpoint import sample_of

    book = _Book(definition)
    (first, scorer), (second, other_scorer) = book.read(one), book.read(other)
    rows = {f"{header.number} {header.champion}": header.figures.get(header.champion, {}) for header in (first, second)}
    screen = Screen()
    _figures(screen, "version", rows)
    sample = np.array(sample_of(book.sealed(other), book.key))
    if len(sample):
        apart = np.abs(scorer.risk(sample) - other_scorer.risk(sample))
        screen.line(f"scores of {len(sample)} recent users: {apart.mean():.4f} apart on average, {apart.max():.4f} at most")


@model_app.command()
def promote(
    model: Annotated[str, typer.Argument(help="candidate that the trainer puts in charge from its next version on")] = "",
    best: Annotated[bool, typer.Option("--best", help="back to the best by calibrated log-loss")] = False,
    definition: Name = "",
) -> None:
    """Put a candidate in charge, or let the best one serve again."""
    from msgspec.structs import replace

    from stream.settings import nearest

    book = _Book(definition)
    if bool(model) == best:
        raise UsageFault("say either a candidate or --best")
    known = list(book.read(book.newest())[0].figures) if book.newest() else list(book.settings["learning.models"])
    if model and model not in known:
        raise UsageFault(f"no candidate {model!r}{nearest(model, known)}; the trainer has {', '.join(known)}")
    book.registry.ask(book.name, replace(book.registry.wish(book.name), candidate=model))
    Screen().line(f"{book.name}: {model or 'the best'} serves from the trainer's next version on")


@model_app.command()
def pin(number: Number, definition: Name = "") -> None:
    """Serve this version whatever comes after it; workers follow within seconds."""
    from msgspec.structs import replace

    book = _Book(definition)
    book.read(number)
    book.registry.ask(book.name, replace(book.registry.wish(book.name), version=number))
    Screen().line(f"{book.name}: version {number} serves until `churnwatch model unpin`")


@model_app.command()
def unpin(definition: Name = "") -> None:
    """Serve the newest version again."""
    from msgspec.structs import replace

    book = _Book(definition)
    book.registry.ask(book.name, replace(book.registry.wish(book.name), version=0))
    Screen().line(f"{book.name}: the newest version serves ({book.newest() or 'the rule, there is none yet'})")


@model_app.command()
def rollback(definition: Name = "") -> None:
    """Serve the version before the one that serves now, and stay there."""
    book = _Book(definition)
    serving = book.serving()
    older = [number for number in book.numbers() if number < serving]
    if not older:
        raise UsageFault(f"{book.name}: there is no version before {serving or 'the rule'}")
    pin(older[-1], book.name)


@model_app.command()
def export(
    number: Number,
    out: Annotated[Path, typer.Option(help="file; .json for plain numbers, anything else for the sealed bytes")],
    definition: Name = "",
) -> None:
    """Write one version to a file."""
    import msgspec

    book = _Book(definition)
    header, scorer = book.read(number)
    if out.suffix == ".json":
        packed = scorer.pack()
        out.write_bytes(msgspec.json.encode({"header": header, "scorer": packed}))
    else:
        out.write_bytes(book.sealed(number))
    Screen().line(f"{out}: {out.stat().st_size:,} bytes")


@model_app.command()
def rebuild() -> None:
    """Learn the whole examples topic again, for example when a newer River or churnwatch cannot read the old checkpoint."""
    from features.store.redis import load_spec
    from stream.processes.preflight import NotReady, judge_app
    from stream.processes.trainer import rebuild as run

    book = _Book("")
    found = load_spec(book.registry.client, book.settings["app.name"])
    if found is None:
        raise UsageFault(f"no app {book.settings['app.name']!r} in this Redis: start a worker first")
    if faults := judge_app(book.registry.client, book.settings):
        raise NotReady(faults)
    with Screen().progress() as progress:
        task = progress.add_task("examples", total=None)
        made = run(
            book.settings, found.spec.hash, book.registry, lambda done, total: progress.update(task, completed=done, total=total)
        )  # fmt: skip
    for name, version in made.items():
        Screen().line(f"{name}: version {version.number}, {version.champion}, {version.labels:,} labels")
    if not made:
        Screen().line("the examples hold too few labels for a version; the trainer goes on from here")
