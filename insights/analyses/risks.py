"""What did the engine say of people, and what came of it? Risks and outcomes at landmarks, for analyses that need them; a history that was only imported has none.

A landmark may be judged again where a shard was made anew. What was said in time is the risk of the first time, and what holds is the label that was known last.
"""

from __future__ import annotations

from insights.analyses.crowd import Crowd
from insights.analyses.match import Bound
from stream.faults import UsageFault

_MADE = "row(TRY_CAST(regexp_extract(lineage, '^\\d+') AS BIGINT), number)"
"""SQL of what orders examples of one landmark: a shard that was made anew begins further on in its log."""


def definition_of(crowd: Crowd, asked: str, table: str = "scores") -> str:
    """Return the definition of churn that is asked about; "": the one of which the table tells most.

    Parameters
    ----------
    table : {"scores", "alerts"}

    Raises
    ------
    stream.faults.UsageFault
        If the table tells nothing, with the next step, or nothing of this definition, with those there are.
    """
    found = crowd.frame(f"SELECT definition FROM {table} GROUP BY definition ORDER BY count(*) DESC, definition")["definition"].to_list()
    if not found:
        raise UsageFault(
            "the history has no {table}: no engine has judged these people yet: run `churnwatch run`, and `churnwatch history run` beside it, "
            "which also takes in what the topics still have",
            table=table,
        )
    if asked and asked not in found:
        raise UsageFault(
            "the history has no {table} of a definition {asked!r}; there are {found}", table=table, asked=asked, found=", ".join(found)
        )
    return asked or str(found[0])


def judged_sql(definition: str, bound: Bound) -> str:
    """Return SQL with a row for each user and landmark: `user`, `landmark`, `risk` (null if none is known), `label` (null while it is not known), `matured` (when it is due, or was known)."""
    which = f"definition = {bound(definition)}"
    return f"""
    SELECT
        coalesce(said.user, came.user) AS user, coalesce(said.landmark, came.landmark) AS landmark, risk, label,
        coalesce(came.matured, said.matured) AS matured
    FROM (
        SELECT user, landmark, arg_min(risk, {_MADE}) AS risk, arg_min(matured, {_MADE}) AS matured FROM scores WHERE {which} GROUP BY user, landmark
    ) AS said
    FULL JOIN (
        SELECT user, landmark, arg_max(label, row(matured, {_MADE})) AS label, max(matured) AS matured FROM outcomes WHERE {which} GROUP BY user, landmark
    ) AS came ON came.user = said.user AND came.landmark = said.landmark
    """


def newest_sql(definition: str, bound: Bound) -> str:
    """Return SQL with a row for each user who was ever judged: `user`, and of their newest landmark `landmark`, `risk`, and `label`, null while it is not known."""
    return f"""
    SELECT user, max(landmark) AS landmark, arg_max(risk, landmark) AS risk, arg_max_null(label, landmark) AS label
    FROM ({judged_sql(definition, bound)}) AS judged WHERE risk IS NOT NULL GROUP BY user
    """
