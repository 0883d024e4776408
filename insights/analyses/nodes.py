"""What is a place on a path? An event's type, one field of it, or its type and one field; read from a text, turned into SQL with every value bound."""

from __future__ import annotations

from insights.analyses.match import Bound, field_sql
from stream.faults import UsageFault


def place(node: str, text: str) -> str:
    """Return a node as somebody writes it in the form in which paths have it.

    >>> place("props.url", "/pricing/"), place("props.url", "/"), place("type", "a/")
    ('/pricing', '/', 'a/')
    """
    return text[:-1] if node != "type" and len(text) > 1 and text.endswith("/") else text


def node_sql(node: str, without: tuple[str, ...], bound: Bound) -> str:
    """Return the SQL of an event's node: null where it has none.

    A slash at the end is no part of it, unless it is all.

    Parameters
    ----------
    node : str
        ``type``, a field such as ``props.url``, or both as in ``type+props.url``.
    without : tuple of str
        Regular expressions; what they match is taken out, as ids of a page are by ``/[0-9]+``.

    Raises
    ------
    stream.faults.UsageFault
        For a field that there is not.
    """
    kind, plus, field = node.partition("+")
    if plus and kind != "type":
        raise UsageFault("node {node!r}: write type, a field, or type and a field, as in type+props.url", node=node)
    value = field_sql(field if plus else node, bound)
    if value != "type":
        for pattern in without:
            value = f"regexp_replace({value}, {bound(pattern)}, '', 'g')"
        value = f"CASE WHEN length({value}) > 1 THEN regexp_replace({value}, '(.)/$', '\\1') ELSE nullif({value}, '') END"
    return f"type || coalesce(' ' || {value}, '')" if plus else value
