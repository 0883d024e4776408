"""Of whom is asked? The views of a log narrowed to the users of a segment, for every analysis alike; and segments by which users are told apart.

Narrowed, a log is what it would be if nobody else had ever come: every view has the rows of these users only, and as of when it holds stays as it is.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from insights.analyses.crowd import Crowd
from insights.analyses.match import Bound
from insights.analyses.plain import Members, Note, segments_in
from insights.analyses.rule import rule_sql
from stream.faults import UsageFault

VIEWS = ("events", "user_day", "users", "traits", "alerts", "scores", "outcomes")


def know(crowd: Crowd, segments: Sequence[Members]) -> None:
    """Let a log know who is in some segments, in a table `segments` with `user` and `name`. Of a list only users who are in the log count.

    Raises
    ------
    UsageFault
        If a rule cannot be read.
    """
    crowd.con.execute('CREATE OR REPLACE TEMP TABLE segments ("user" VARCHAR, name VARCHAR)')
    for one in segments:
        bound = Bound()
        name = bound(one.name)
        if one.rule:
            who = rule_sql(one.rule, crowd.as_of.watermark, bound)
        else:
            listed = f"SELECT unnest({bound(list(one.users))}) AS listed"
            who = f"SELECT user FROM users WHERE user IN (SELECT coalesce(person, listed) FROM ({listed}) LEFT JOIN ids ON ids.id = listed)"
        crowd.con.execute(f"INSERT INTO segments SELECT user, {name} FROM ({who})", bound.values)


def narrow(crowd: Crowd, name: str) -> Note:
    """Narrow a log to a segment that it knows; return what is to be said beside the answer."""
    crowd.con.execute("CREATE SCHEMA narrowed")
    quoted = name.replace("'", "''")
    for view in VIEWS:
        members = f"SELECT \"user\" FROM temp.segments WHERE name = '{quoted}'"
        crowd.con.execute(f'CREATE VIEW narrowed.{view} AS SELECT * FROM main.{view} WHERE "user" IN ({members})')
    crowd.con.execute("SET search_path = 'narrowed,main'")
    people = crowd.con.execute("SELECT count(*) FROM segments WHERE name = $name", {"name": name}).fetchall()[0][0]
    return Note("note.segment", {"name": name, "n": int(people)})


def within(crowd: Crowd, asked: Mapping[str, object], segments: Sequence[Members]) -> tuple[Note, ...]:
    """Prepare a log for what is asked of it; return what is to be said beside the answer.

    Raises
    ------
    UsageFault
        If a segment is asked for that is not given.
    """
    wanted, there = segments_in(asked), {one.name for one in segments}
    for name in wanted:
        if name not in there:
            raise UsageFault("there is no segment {name!r}: `churnwatch segment ls` lists them", name=name)
    if not wanted:
        return ()
    know(crowd, segments)
    return (narrow(crowd, str(asked["segment"])),) if asked.get("segment") else ()
