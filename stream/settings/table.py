"""Which settings are there? One table: a setting a row, with its default, its bounds and what it is for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from features.definitions.rules import MAX_NOT_USERS
from features.users.spec import CHANNEL_SLOTS, FUNNEL_STEPS, KEY_SLOTS
from online_models.catalog import LIVE
from online_models.catalog import NAMES as MODELS

Kind = Literal["text", "secret", "int", "share", "duration", "names", "flag", "time"]


@dataclass(frozen=True, slots=True)
class Setting:
    """One row of the table; `env` names the variable that overrides the file."""

    name: str
    kind: Kind
    default: Any
    help: str
    env: str | None = None
    low: float = 0
    high: float = float("inf")


PROTOCOLS = ("PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL")
SASL_MECHANISMS = ("PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512", "OAUTHBEARER")


def _secured(section: str, whose: str) -> tuple[Setting, ...]:
    env = f"CHURNWATCH_{section.upper()}"
    return (
        Setting(
            f"{section}.ca_file",
            "text",
            "",
            f"PEM file of the CA that signed {whose} certificate; empty: the system's CAs",
            f"{env}_CA_FILE",
        ),
        Setting(f"{section}.cert_file", "text", "", "PEM file of our client certificate, where one is asked for", f"{env}_CERT_FILE"),
        Setting(f"{section}.key_file", "text", "", "PEM file of its key; empty: it is in cert_file", f"{env}_KEY_FILE"),
        Setting(f"{section}.key_password", "secret", "", "password of the key", f"{env}_KEY_PASSWORD"),
    )


SETTINGS: tuple[Setting, ...] = (
    Setting("app.name", "text", "churnwatch", "names this deployment; part of every Redis key and transactional id", "CHURNWATCH_APP"),
    Setting("app.group", "text", "", "Kafka consumer group of the workers; empty: the app's name"),
    Setting("kafka.bootstrap", "text", "127.0.0.1:9092", "Kafka address, host:port, several with commas", "CHURNWATCH_KAFKA"),
    Setting("kafka.topic_prefix", "text", "", "put before every topic name", "CHURNWATCH_TOPIC_PREFIX"),
    Setting("kafka.clicks", "text", "", "name of the clicks topic when it is not prefix + clicks", "CHURNWATCH_CLICKS"),
    Setting("kafka.partitions", "int", 4, "partitions of clicks, for `topics create`", low=1, high=10_000),
    Setting("kafka.replication", "int", -1, "copies of each topic, for `topics create`; -1: the broker's default", low=-1, high=32),
    *_secured("kafka", "the brokers'"),
    Setting(
        "kafka.security_protocol",
        "text",
        "PLAINTEXT",
        "PLAINTEXT, SSL, SASL_PLAINTEXT or SASL_SSL",
        "CHURNWATCH_KAFKA_SECURITY_PROTOCOL",
    ),
    Setting("kafka.sasl_mechanism", "text", "", f"with SASL: {', '.join(SASL_MECHANISMS)}", "CHURNWATCH_KAFKA_SASL_MECHANISM"),
    Setting("kafka.user", "text", "", "user of PLAIN and SCRAM", "CHURNWATCH_KAFKA_USER"),
    Setting("kafka.password", "secret", "", "password of PLAIN and SCRAM", "CHURNWATCH_KAFKA_PASSWORD"),
    Setting("kafka.token_file", "text", "", "file with the token of OAUTHBEARER, read again before it ends", "CHURNWATCH_KAFKA_TOKEN_FILE"),
    Setting("kafka.token_command", "text", "", "command that prints the token, run again before it ends", "CHURNWATCH_KAFKA_TOKEN_COMMAND"),
    Setting("redis.url", "secret", "redis://127.0.0.1:6379", "Redis address; rediss:// for TLS", "CHURNWATCH_REDIS"),
    *_secured("redis", "the server's"),
    Setting(
        "features.key_events",
        "names",
        (),
        f"event types with features of their own, at most {KEY_SLOTS}; empty: chosen from the first 10,000 events",
    ),
    Setting("features.revenue_events", "names", ("purchase",), "event types whose value is money"),
    Setting("features.error_events", "names", ("error",), "event types that are a failure for the user"),
    Setting("features.funnel", "names", (), f"event types of the funnel, in order, at most {FUNNEL_STEPS}"),
    Setting("features.channels", "names", (), f"known acquisition channels, at most {CHANNEL_SLOTS}"),
    Setting("features.strict_types", "names", (), "when given, any other event type is rejected; may be changed at any start"),
    Setting(
        "features.not_users",
        "names",
        (),
        f'ids that are no user, such as "anonymous": their events are rejected, at most {MAX_NOT_USERS}; may be changed at any start',
    ),
    Setting("features.oldest", "time", "2000-01-01", "an event before this time (UTC) is rejected; may be changed at any start"),
    Setting("features.timezone", "text", "UTC", "IANA zone of calendar days and hours"),
    Setting("features.lateness", "duration", "1h", "events this much out of order are still counted in full"),
    Setting("features.session_gap", "duration", "30m", "a silence this long ends a session", low=1_000),
    Setting("features.rescore", "duration", "1h", "a click renews a risk older than this", low=1_000),
    Setting("alerts.threshold", "share", 0.7, "least calibrated risk that opens an alert", high=1),
    Setting("alerts.cooldown", "duration", "14d", "least time between two alerts of one user"),
    Setting("alerts.daily_cap", "int", 10_000, "most alerts a shard opens in a day of event time", low=0),
    Setting("alerts.max_age", "duration", "1d", "no alert for a landmark that lies further back than this"),
    Setting("alerts.backfill", "flag", False, "alerts for the past too (tests, demos)"),
    Setting("time.ticks", "flag", True, "let time go on when nobody clicks; off for old logs"),
    Setting("time.tick_interval", "duration", "10s", "idle time before a tick", low=100),
    Setting(
        "time.tick_max_behind",
        "duration",
        "1h",
        "no tick while the newest event is further behind the broker's stamp than this: an old log is being loaded",
    ),
    Setting("time.max_idle_hold", "duration", "30m", "how long time may stand still while all of intake is silent"),
    Setting("worker.batch", "int", 5_000, "most records of one batch", low=1, high=100_000),
    Setting("worker.cache_users", "int", 262_144, "users per shard kept in memory", low=1_000),
    Setting("worker.mirror", "text", "none", "whose named features are also kept as a Redis hash: none, alerted or all"),
    Setting("worker.web", "text", "127.0.0.1:6066", "address of /metrics, /live and /ready; empty: none", "CHURNWATCH_WEB"),
    Setting("worker.web_token", "secret", "", "asked for when the web address is not loopback", "CHURNWATCH_WEB_TOKEN"),
    Setting("history.dir", "text", "churnwatch-history", "folder of the complete history of events", "CHURNWATCH_HISTORY"),
    Setting("history.interval", "duration", "5s", "how long an event waits at most until it is in the history", low=100, high=600_000),
    Setting("history.rows", "int", 100_000, "so many events are committed at once at most, while much is read", low=1, high=5_000_000),
    Setting(
        "history.web",
        "text",
        "127.0.0.1:6069",
        "address of /metrics, /live and /ready of `churnwatch history run`; empty: none",
        "CHURNWATCH_HISTORY_WEB",
    ),
    Setting(
        "history.complete_from",
        "time",
        "1970-01-01",
        "from this time (UTC) on the history holds everything; whoever was first seen before it counts as no new user",
    ),
    Setting("page.address", "text", "127.0.0.1:6080", "address of `churnwatch web`", "CHURNWATCH_PAGE"),
    Setting(
        "page.store",
        "secret",
        "sqlite:///churnwatch-page.db",
        "database of the page: a SQLite file, or postgresql://user:password@host/name",
        "CHURNWATCH_PAGE_STORE",
    ),
    Setting("page.currency", "text", "USD", "ISO 4217 code of the money in event values"),
    Setting(
        "page.url", "text", "", "https address under which people reach the page, when it stands behind a proxy", "CHURNWATCH_PAGE_URL"
    ),
    Setting(
        "page.proxies",
        "names",
        (),
        "addresses or networks of the proxies before the page, whose X-Forwarded-For is believed; empty: nobody's",
    ),
    Setting("page.session_idle", "duration", "12h", "somebody who does nothing for so long signs in again", low=60_000),
    Setting("page.session_life", "duration", "7d", "everybody signs in again after so long", low=60_000),
    Setting(
        "page.oidc_issuer",
        "text",
        "",
        "address of the OpenID Connect provider by which people sign in, as it calls itself; empty: none",
        "CHURNWATCH_OIDC_ISSUER",
    ),
    Setting("page.oidc_client_id", "text", "", "what the provider calls the page", "CHURNWATCH_OIDC_CLIENT_ID"),
    Setting(
        "page.oidc_client_secret",
        "secret",
        "",
        "the page's secret at the provider; empty: a public client",
        "CHURNWATCH_OIDC_CLIENT_SECRET",
    ),
    Setting("page.oidc_scopes", "names", ("openid", "profile", "email"), "scopes that the provider is asked for"),
    Setting("page.oidc_claim", "text", "groups", "claim whose value, or one of whose values, gives somebody their role"),
    Setting("page.oidc_viewers", "names", (), 'its values for role viewer; "*": everybody whom the provider lets in'),
    Setting("page.oidc_analysts", "names", (), "its values for role analyst"),
    Setting("page.oidc_admins", "names", (), "its values for role admin"),
    Setting(
        "page.api_rate", "int", 5_000, "requests a second that one token may make of one `churnwatch web`, and twice as many at once", low=1
    ),
    Setting("page.api_events", "int", 50_000, "events a second that one token may send, and twice as many at once", low=2_500),
    Setting("page.analyses_memory", "int", 2_048, "memory that all processes which compute analyses for the page may take, MiB", low=512),
    Setting("page.analyses_time", "duration", "2m", "an analysis that takes longer is stopped", low=1_000),
    Setting(
        "page.analyses_kept",
        "int",
        256,
        "what analyses have found is kept in the page's store, MiB; what nobody asks for goes first",
        low=1,
    ),
    Setting(
        "page.least_group",
        "int",
        10,
        "who may see no persons, and a report, is told of no group of fewer people; 1: of all (docs/page-access.md)",
        low=1,
        high=1_000_000,
    ),
    Setting("mail.host", "text", "", "server that takes the mail of reports and watches; empty: none", "CHURNWATCH_MAIL_HOST"),
    Setting("mail.port", "int", 587, "its port: 587 with starttls, 465 with tls, 25 with none", "CHURNWATCH_MAIL_PORT", low=1, high=65_535),
    Setting("mail.tls", "text", "starttls", "starttls, tls, or none, which is for a server on this machine"),
    Setting("mail.user", "text", "", "whom we log in as; empty: nobody", "CHURNWATCH_MAIL_USER"),
    Setting("mail.password", "secret", "", "password of mail.user", "CHURNWATCH_MAIL_PASSWORD"),
    Setting("mail.from", "text", "", 'address that the mail comes from, such as "churnwatch@example.org"', "CHURNWATCH_MAIL_FROM"),
    Setting("mail.ca_file", "text", "", "PEM file of the CA that signed its certificate; empty: the system's CAs"),
    Setting(
        "bi.database",
        "secret",
        "",
        "PostgreSQL that takes the tables of [[tables]] that name a table: postgresql://user:password@host/name (docs/reports.md)",
        "CHURNWATCH_BI_DATABASE",
    ),
    Setting(
        "learning.key",
        "secret",
        "",
        "signs models in the registry, the same for workers and trainer; needed unless Redis is on this machine (`churnwatch config key` makes one)",
        "CHURNWATCH_MODEL_KEY",
    ),
    Setting("learning.min_labels", "int", 200, "labels of each class before a model may replace the rule", low=1),
    Setting("learning.models", "names", LIVE, f"models that compete, of: {', '.join(MODELS)}"),
    Setting("learning.wanted", "text", "", "the model that serves once it can; empty: the best by calibrated log-loss"),
    Setting("learning.window", "int", 1_500, "newest matured labels over which models are compared", low=100, high=1_000_000),
    Setting("learning.batch", "int", 256, "examples of one learning step", low=1, high=100_000),
)
PLACEHOLDERS = frozenset({"change-me", "change_me", "changeme"})
"""Words that stand in examples for a secret of one's own. Everybody knows them, so none of them is a secret."""
