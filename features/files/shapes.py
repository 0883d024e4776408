"""The exports that are recognised by their columns, and where each keeps the fields of an event: one row for each kind of export.

A place is a column or, with dots, a key within nested JSON. Where a field has several places, the first that is filled counts.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

FIELDS = ("user", "ts", "type", "value", "item", "session", "channel", "event_id", "props")
REQUIRED = ("user", "ts", "type")


@dataclass(frozen=True, slots=True)
class Shape:
    """One kind of export.

    Attributes
    ----------
    known_by : tuple of tuples of str
        The export is recognised if each inner tuple has at least one column that is there.
    places : mapping
        The places of each field; the first that is filled counts.
    units : tuple of str
        Units that epoch numbers may be in; if there are several, the size of the number decides.
    zone : str
        IANA zone of times without one, if the export's documentation names it; empty for the zone of the settings.
    instead : tuple of (type, place)
        A row of this type has its true type at that place.
    says : str
        Where the columns are documented.
    """

    name: str
    known_by: tuple[tuple[str, ...], ...]
    places: Mapping[str, tuple[str, ...]]
    units: tuple[str, ...] = ("ms",)
    zone: str = ""
    instead: tuple[tuple[str, str], ...] = ()
    says: str = ""


_TRACK = (("track", "event"),)
_CALLS: Mapping[str, tuple[str, ...]] = {
    "user": ("userId", "anonymousId"),
    "ts": ("timestamp", "originalTimestamp", "sentAt", "receivedAt"),
    "type": ("type", "event"),
    "event_id": ("messageId",),
    "value": ("properties.revenue", "properties.value", "properties.total"),
    "item": ("properties.product_id", "properties.sku"),
    "channel": ("context.campaign.source",),
    "props": ("properties",),
}
_TABLES: Mapping[str, tuple[str, ...]] = {
    "user": ("user_id", "anonymous_id"),
    "ts": ("timestamp", "original_timestamp", "sent_at", "received_at"),
    "type": ("event",),
    "event_id": ("id",),
    "value": ("revenue", "value", "total"),
    "item": ("product_id", "sku"),
    "channel": ("context_campaign_source",),
}

SHAPES: tuple[Shape, ...] = (
    Shape(
        "REES46 / cosmetics shop",
        (("event_time",), ("event_type",), ("product_id",), ("user_id",), ("user_session", "category_id", "category_code")),
        {
            "user": ("user_id",),
            "ts": ("event_time",),
            "type": ("event_type",),
            "value": ("price",),
            "item": ("product_id",),
            "session": ("user_session",),
        },
        zone="UTC",
        says="event_time, event_type, product_id, category_id, category_code, brand, price, user_id, user_session",
    ),
    Shape(
        "RetailRocket",
        (("visitorid",), ("timestamp",), ("event",), ("itemid",)),
        {"user": ("visitorid",), "ts": ("timestamp",), "type": ("event",), "item": ("itemid",)},
        says="timestamp, visitorid, event, itemid, transactionid",
    ),
    Shape(
        "GA4 BigQuery export",
        (("event_timestamp",), ("event_name",), ("user_pseudo_id", "user_id")),
        {
            "user": ("user_id", "user_pseudo_id"),
            "ts": ("event_timestamp",),
            "type": ("event_name",),
            "value": ("ecommerce.purchase_revenue", "event_value_in_usd"),
            "channel": ("collected_traffic_source.manual_source", "traffic_source.source"),
        },
        units=("us",),
        says="event_timestamp in microseconds, event_name, user_id, user_pseudo_id, ecommerce.purchase_revenue",
    ),
    Shape(
        "RudderStack",
        (("messageId",), ("userId", "anonymousId"), ("rudderId", "channel"), ("type", "event")),
        _CALLS,
        instead=_TRACK,
        says="the calls as Segment has them, with channel or rudderId",
    ),
    Shape(
        "Segment",
        (
            ("messageId", "properties", "context"),
            ("userId", "anonymousId"),
            ("timestamp", "originalTimestamp", "sentAt", "receivedAt"),
            ("type", "event"),
        ),
        _CALLS,
        instead=_TRACK,
        says="type, event, userId, anonymousId, timestamp, messageId, properties",
    ),
    Shape(
        "Segment / RudderStack warehouse table",
        (("anonymous_id",), ("timestamp", "original_timestamp"), ("received_at", "sent_at")),
        _TABLES,
        says="id, anonymous_id, user_id, event, timestamp, received_at, sent_at; the tables pages, screens and identifies have no event",
    ),
    Shape(
        "Mixpanel",
        (("event",), ("properties.distinct_id",), ("properties.time",)),
        {
            "user": ("properties.$user_id", "properties.distinct_id"),
            "ts": ("properties.time",),
            "type": ("event",),
            "event_id": ("properties.$insert_id",),
            "value": ("properties.revenue", "properties.$amount", "properties.amount"),
            "channel": ("properties.utm_source",),
            "props": ("properties",),
        },
        units=("s", "ms"),
        says="event, properties.time in seconds or milliseconds, properties.distinct_id, properties.$insert_id",
    ),
    Shape(
        "Mixpanel",
        (
            ("event", "event_name", "mp_event_name"),
            ("distinct_id", "mp_distinct_id", "$distinct_id"),
            ("time", "mp_time"),
            ("$insert_id", "insert_id", "mp_insert_id", "mp_lib", "$lib"),
        ),
        {
            "user": ("distinct_id", "$distinct_id", "mp_distinct_id"),
            "ts": ("time", "mp_time"),
            "type": ("event", "event_name", "mp_event_name"),
            "event_id": ("$insert_id", "insert_id", "mp_insert_id"),
            "channel": ("utm_source",),
            "props": ("properties",),
        },
        units=("s", "ms"),
        says="the same flat: event, time, distinct_id, $insert_id; a warehouse has event_name or mp_event_name",
    ),
    Shape(
        "Amplitude",
        (
            ("event_type",),
            ("event_time", "time"),
            ("user_id", "device_id", "amplitude_id"),
            ("$insert_id", "insert_id", "amplitude_id", "event_properties", "amplitude_event_type", "server_upload_time"),
        ),
        {
            "user": ("user_id", "device_id", "amplitude_id"),
            "ts": ("event_time", "time"),
            "type": ("event_type",),
            "event_id": ("$insert_id", "insert_id", "uuid"),
            "session": ("session_id",),
            "value": ("event_properties.revenue", "event_properties.$revenue"),
            "props": ("event_properties",),
        },
        zone="UTC",
        says="user_id, device_id, event_time in UTC, event_type, $insert_id, session_id, event_properties",
    ),
    Shape(
        "PostHog",
        (("distinct_id", "properties.distinct_id"), ("event",), ("timestamp",)),
        {
            "user": ("distinct_id", "properties.distinct_id"),
            "ts": ("timestamp",),
            "type": ("event",),
            "event_id": ("uuid",),
            "session": ("$session_id", "properties.$session_id"),
            "channel": ("properties.utm_source",),
            "props": ("properties",),
        },
        zone="UTC",
        says="uuid, event, properties, timestamp, distinct_id",
    ),
    Shape(
        "Snowplow enriched events",
        (("collector_tstamp", "derived_tstamp"), ("event", "event_name"), ("event_id",), ("user_id", "domain_userid", "network_userid")),
        {
            "user": ("user_id", "domain_userid", "network_userid"),
            "ts": ("derived_tstamp", "collector_tstamp"),
            "type": ("event", "event_name"),
            "event_id": ("event_id",),
            "session": ("domain_sessionid",),
            "value": ("tr_total", "se_value"),
            "item": ("ti_sku",),
            "channel": ("mkt_source",),
        },
        zone="UTC",
        instead=(("struct", "se_action"), ("unstruct", "event_name"), ("self_describing", "event_name")),
        says="collector_tstamp in UTC, event, event_id, user_id, domain_userid; with a header, or as the 131 columns without one",
    ),
    Shape(
        "Matomo",
        (
            ("idvisitor", "idVisitor", "visitorId"),
            ("serverTimePretty", "server_time", "serverTimestamp", "serverDate", "timestamp", "visit_last_action_time"),
            ("actionType", "type", "action", "idaction_url", "actions"),
        ),
        {
            "user": ("userId", "user_id", "idvisitor", "idVisitor", "visitorId"),
            "ts": ("timestamp", "serverTimestamp", "server_time", "serverTimePretty", "visit_last_action_time"),
            "type": ("actionType", "type", "action"),
            "event_id": ("idlink_va", "idpageview"),
            "session": ("idvisit", "idVisit"),
            "value": ("revenue",),
            "channel": ("referrerName",),
        },
        units=("s", "ms"),
        says="idvisitor, serverTimePretty or timestamp, actionType, idVisit",
    ),
    Shape(
        "CloudEvents",
        (("specversion",), ("id",), ("source",), ("type",), ("time",)),
        {
            "user": ("data.user_id", "data.userId", "data.user", "subject"),
            "ts": ("time",),
            "type": ("type",),
            "event_id": ("id",),
            "value": ("data.value", "data.revenue", "data.amount"),
            "item": ("data.item", "data.product_id"),
            "session": ("data.session", "data.session_id"),
            "props": ("data",),
        },
        says="specversion, id, source, type, time, subject, data",
    ),
)

HEADLESS: Mapping[int, Mapping[int, str]] = {
    131: {
        3: "collector_tstamp", 5: "event", 6: "event_id", 12: "user_id", 15: "domain_userid", 17: "network_userid", 48: "mkt_source",
        54: "se_action", 57: "se_value", 61: "tr_total", 68: "ti_sku", 123: "domain_sessionid", 124: "derived_tstamp", 126: "event_name",
    }
}  # fmt: skip
"""Tab-separated exports without a header (Snowplow enriched events), by their number of columns: position and name of the columns that are read."""

LIKELY: Mapping[str, tuple[str, ...]] = {
    "user": ("user", "userid", "user_id", "uid", "customer", "customer_id", "customerid", "visitor", "visitor_id", "visitorid", "client_id", "clientid", "account_id", "member_id", "distinct_id", "person_id", "who", "username", "email"),
    "ts": ("ts", "timestamp", "time", "datetime", "date", "event_time", "eventtime", "event_timestamp", "created_at", "createdat", "occurred_at", "when", "event_date", "server_time"),
    "type": ("type", "event", "event_type", "eventtype", "event_name", "eventname", "action", "activity", "name", "what"),
    "value": ("value", "price", "amount", "revenue", "total"),
    "item": ("item", "item_id", "itemid", "product_id", "sku"),
    "session": ("session", "session_id", "sessionid", "user_session"),
}  # fmt: skip
"""Names that other logs give to a field. They are only suggested when a column is missing, and never used unasked."""


def recognised(columns: Sequence[str]) -> Shape | None:
    """Return the first shape whose columns are all there, None if there is none.

    A warehouse may write all names in capitals, or all in small letters; the places are then as the file spells them.

    >>> recognised(["timestamp", "visitorid", "event", "itemid"]).name
    'RetailRocket'
    """
    there = set(columns)
    found = next((shape for shape in SHAPES if all(there & set(group) for group in shape.known_by)), None)
    cases = {name for name in there if name.lower() != name.upper()}
    if found or not (all(map(str.isupper, cases)) or all(map(str.islower, cases))):
        return found
    spelled = {name.lower(): name for name in there}
    alike = (shape for shape in SHAPES if all(any(name.lower() in spelled for name in group) for group in shape.known_by))
    return next((_respelled(shape, spelled) for shape in alike), None)


def _respelled(shape: Shape, spelled: Mapping[str, str]) -> Shape:
    places = {field: tuple(spelled.get(place.lower(), place) for place in where) for field, where in shape.places.items()}
    return replace(shape, places=places, instead=tuple((kind, spelled.get(place.lower(), place)) for kind, place in shape.instead))


@dataclass(frozen=True, slots=True)
class Plan:
    """Where each field of an event is read in one file.

    Attributes
    ----------
    places : mapping
        The places of each field as paths; the first that is filled counts.
    constant_type : str
        Type of every row; empty if a column holds it.
    instead : tuple of (type, path)
        A row of this type has its true type at that path.
    """

    places: Mapping[str, tuple[tuple[str, ...], ...]]
    constant_type: str = ""
    instead: tuple[tuple[str, tuple[str, ...]], ...] = ()
    units: tuple[str, ...] = ("ms",)
    zone: str = ""
    notes: tuple[str, ...] = ()
    shape: str = ""

    @property
    def paths(self) -> list[tuple[str, ...]]:
        """Return every path that is read, once."""
        every = [path for paths in self.places.values() for path in paths] + [path for _, path in self.instead]
        return list(dict.fromkeys(every))


def shapes_markdown() -> str:
    """Return the table of known exports for docs/files.md."""
    lines = ["| export | known by its columns | is read as |", "|---|---|---|"]
    for shape in SHAPES:
        known = ", ".join(" or ".join(f"`{name}`" for name in group) for group in shape.known_by)
        read = ", ".join(f"{name} = {' or '.join(f'`{place}`' for place in places)}" for name, places in shape.places.items())
        extra = [f"the type of a `{kind}` is its `{place}`" for kind, place in shape.instead]
        extra += [f"times in {' or '.join(shape.units)}"] if shape.units != ("ms",) else []
        extra += [f"times without a zone are {shape.zone}"] if shape.zone else []
        lines.append(f"| {shape.name} | {known} | {'; '.join([read, *extra])} |")
    return "\n".join(lines)
