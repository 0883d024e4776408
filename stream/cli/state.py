"""`state check`: whether what Redis holds is what was written, and which keys are not."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from stream.cli import context
from stream.faults import UsageFault
from stream.screen import Screen

if TYPE_CHECKING:
    import redis

    from features.store.keys import ShardKeys

state_app = typer.Typer(no_args_is_help=True)
_AT_ONCE = 2_000


@state_app.command()
def check(
    partition: Annotated[int | None, typer.Option(min=0, help="only this shard; default: all")] = None,
) -> None:
    """Read every state and every timer; name each damaged key. Workers may run meanwhile. Ends with 2 if there is damage."""
    from features.store.keys import digest_of, shard_keys
    from features.store.redis import connect, load_spec

    settings = context.settings()
    client, app = connect(settings["redis.url"]), settings["app.name"]
    spec = load_spec(client, app)
    if spec is None:
        raise UsageFault(f"nothing is stored for app {app!r}: is the name right, and has a worker run?")
    if partition is not None and partition >= spec.partitions:
        raise UsageFault(f"--partition: there is no shard {partition}, the clicks topic has {spec.partitions} partitions")
    screen, damaged = Screen(), 0
    for number in range(spec.partitions) if partition is None else [partition]:
        users = 0
        for key, why in damage(client, shard_keys(app, number), len(spec.spec.definitions)):
            if not why:
                users += 1
                continue
            damaged += 1
            screen.line(f"shard {number}: {digest_of(key)} is {key}: {why}")
        screen.line(f"shard {number}: {users:,} states are sound")
    if damaged:
        screen.line("to make a damaged shard's state again from the log: churnwatch run --rebuild --partition N")
        raise typer.Exit(2)


def damage(client: redis.Redis, keys: ShardKeys, definitions: int) -> Iterator[tuple[str, str]]:
    """Yield (key, why) of what is damaged, and (key, "") of every sound state."""
    from features.users.landmarks import BUCKETS

    for page in _pages(client.scan_iter(f"{keys.states}*", count=10_000)):
        users = [key.decode(errors="replace")[len(keys.states) :] for key in page]
        for user, why in zip(users, _judged(client, keys, users, definitions), strict=True):
            yield keys.state(user), why
    for bucket in range(BUCKETS):
        if client.type(keys.wheel(bucket)) not in {b"set", b"none"}:
            yield keys.wheel(bucket), "no set"
            continue
        for page in _pages(client.sscan_iter(keys.wheel(bucket), count=_AT_ONCE)):
            there: Any = client.exists(*(keys.states.encode() + user for user in page))
            if there < len(page):
                users = [user.decode() for user in page]
                yield from ((keys.state(user), why) for user in users if (why := _judge(client, keys, user, definitions)) == _MISSING)
    for key, kind in ((keys.owner, b"hash"), (keys.meta, b"hash"), (keys.outbox, b"stream"), (keys.exbox, b"stream")):
        if client.type(key) not in {kind, b"none"}:
            yield key, f"no {kind.decode()}"


_MISSING = "in the wheel, without a state"


def _pages(found: Iterator[bytes]) -> Iterator[list[bytes]]:
    page: list[bytes] = []
    for one in found:
        page.append(one)
        if len(page) == _AT_ONCE:
            yield page
            page = []
    if page:
        yield page


def _judged(client: redis.Redis, keys: ShardKeys, users: Sequence[str], definitions: int) -> list[str]:
    """Say what is wrong with each user's state, "" for nothing: all at once if all is well, else one by one."""
    from features.users.packed_state import read_states
    from features.users.state import FLAG_ARMED, LayoutError

    stored: Any = client.mget(list(map(keys.state, users)))
    try:
        if all(one is not None for one in stored):
            rows = read_states(users, stored, definitions)
            with client.pipeline(transaction=False) as pipe:
                for user, row in zip(users, rows, strict=True):
                    pipe.sismember(keys.wheel(int(row["phase"])), user)
                held = pipe.execute()
            if [bool(one) for one in held] == ((rows["flags"] & FLAG_ARMED) != 0).tolist():
                return [""] * len(users)
    except LayoutError:
        pass
    return [_judge(client, keys, user, definitions) for user in users]


def _judge(client: redis.Redis, keys: ShardKeys, user: str, definitions: int) -> str:
    """Say what is wrong with a user's state; it and its place in the wheel are read at one moment, as a worker may be writing them."""
    from features.users.landmarks import phase_of
    from features.users.packed_state import read_states
    from features.users.state import FLAG_ARMED, LayoutError

    with client.pipeline(transaction=True) as pipe:
        pipe.type(keys.state(user))
        pipe.mget([keys.state(user)])
        pipe.sismember(keys.wheel(phase_of(user)), user)
        kind, [packed], in_wheel = pipe.execute()
    if packed is None:
        return f"a {kind.decode()} in place of a state" if kind != b"none" else _MISSING if in_wheel else ""
    try:
        [row] = read_states([user], [packed], definitions)
    except LayoutError as error:
        return str(error)
    if bool(row["flags"] & FLAG_ARMED) == bool(in_wheel):
        return ""
    return "in the wheel, and the state says that it is not" if in_wheel else "armed, and not in the wheel"
