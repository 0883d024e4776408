"""What is wrong with the settings, taken together? Each function adds its faults, a sentence with what to do."""

from __future__ import annotations

import ipaddress
import re
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from features.definitions.definition import DAY_MS, MAX_DEFINITIONS, ChurnDefinition
from features.definitions.names import checked_name
from features.definitions.rules import MAX_NOT_USERS
from features.users.segment import segment_of
from features.users.spec import CHANNEL_SLOTS, FUNNEL_STEPS, KEY_SLOTS
from online_models.catalog import NAMES as MODELS
from stream.settings.table import PLACEHOLDERS, PROTOCOLS, SASL_MECHANISMS, SETTINGS
from stream.settings.values import is_loopback, nearest

MAX_WAIT_MS = 62 * DAY_MS
_ADDRESS = re.compile(r"^(\[[0-9a-fA-F:]+\]|[^\s:/@\[\],]+):\d{1,5}$")
_PAGE_URL = re.compile(r"^https?://(\[[0-9a-fA-F:]+\]|[A-Za-z0-9.-]+)(:\d{1,5})?/?$")
_CURRENCY = re.compile(r"^[A-Z]{3}$")
_REDIS_URL = re.compile(r"^(unix://\S+|rediss?://([^\s/?#]*@)?(\[[0-9a-fA-F:]+\]|[^\s:/?#@\[\]]+)(:\d{1,5})?(/\d*)?(\?\S*)?)$")


def judge_together(values: dict[str, Any], definitions: tuple[ChurnDefinition, ...], faults: list[str]) -> None:
    """Judge what one setting may be beside the others, and the definitions."""
    for name, most in (
        ("features.key_events", KEY_SLOTS),
        ("features.funnel", FUNNEL_STEPS),
        ("features.channels", CHANNEL_SLOTS),
        ("features.not_users", MAX_NOT_USERS),
    ):
        if len(values[name]) > most:
            faults.append(f"{name}: at most {most}, got {len(values[name])}")
    try:
        ZoneInfo(values["features.timezone"])
    except (ZoneInfoNotFoundError, ValueError):
        faults.append(f"features.timezone: no zone {values['features.timezone']!r}; IANA names look like Europe/Berlin")
    if values["worker.mirror"] not in {"none", "alerted", "all"}:
        faults.append(f"worker.mirror: none, alerted or all, got {values['worker.mirror']!r}")
    for name in (*values["learning.models"], *filter(None, [values["learning.wanted"]])):
        if name not in MODELS:
            faults.append(f"learning: no model {name!r}{nearest(name, list(MODELS))}; there are {', '.join(MODELS)}")
    _judge_addresses(values, faults)
    judge_name("app.name", values["app.name"], faults)
    names = [definition.name for definition in definitions]
    if len(set(names)) < len(names):
        faults.append("definitions: two have the same name")
    if len(names) > MAX_DEFINITIONS:
        faults.append(f"definitions: at most {MAX_DEFINITIONS}, got {len(names)}")
    for definition in definitions:
        try:
            segment_of(definition.segment, values["features.channels"])
        except ValueError as error:
            faults.append(f"definitions {definition.name}: segment {error}")
        if definition.horizon_ms + values["features.lateness"] > MAX_WAIT_MS:
            faults.append(f"definitions {definition.name}: horizon + lateness must stay below 62d, the bitmap of landmarks holds 64 days")


def judge_name(setting: str, name: str, faults: list[str]) -> None:
    """Judge a name that becomes part of keys and topics."""
    try:
        checked_name(setting, name)
    except ValueError as error:
        faults.append(str(error))


def judge_page(values: dict[str, Any], faults: list[str]) -> None:
    """Judge the page's address, and who signs people in."""
    if not _ADDRESS.match(values["page.address"]):
        faults.append(f"page.address: must be host:port, got {values['page.address']!r}")
    url = values["page.url"]
    if url and not _PAGE_URL.match(url):
        faults.append(f'page.url: must be an address without a path, such as "https://churn.example", got {url!r}')
    elif url and not _is_safe(url):
        faults.append("page.url: sign-in must not be read on the way, so begin it with https:// (http:// is for loopback only)")
    for one in values["page.proxies"]:
        try:
            ipaddress.ip_network(one)
        except ValueError:
            faults.append(f'page.proxies: must be addresses or networks such as "10.0.0.7" or "10.0.0.0/24", got {one!r}')
    if values["page.oidc_issuer"]:
        _judge_provider(values, faults)
    elif values["page.oidc_client_id"]:
        faults.append("page.oidc_client_id: without page.oidc_issuer there is no provider to know it")


def _judge_provider(values: dict[str, Any], faults: list[str]) -> None:
    if not _is_safe(values["page.oidc_issuer"]):
        faults.append("page.oidc_issuer: must begin with https:// (http:// is for loopback only)")
    for name, why in (
        ("page.oidc_client_id", "register the page at the provider, which gives it one"),
        ("page.url", "the provider sends people back to it, so it needs the address under which people reach the page"),
    ):
        if not values[name]:
            faults.append(f"{name}: {why}")
    if "openid" not in values["page.oidc_scopes"]:
        faults.append('page.oidc_scopes: must have "openid"')
    if not any(values[f"page.oidc_{role}s"] for role in ("viewer", "analyst", "admin")):
        faults.append(
            'page.oidc_viewers, page.oidc_analysts, page.oidc_admins: name the values of the claim that give a role, or nobody gets in; "*" is everybody'
        )
    if "*" in values["page.oidc_admins"]:
        faults.append('page.oidc_admins: "*" would let everybody manage who may do what: name a group')


def _is_safe(url: str) -> bool:
    """Whether what goes to an address is encrypted, or stays on this machine.

    >>> _is_safe("https://id.example/realm"), _is_safe("http://id.example"), _is_safe("http://127.0.0.1:9000")
    (True, False, True)
    """
    try:
        parts = urlsplit(url)
        return bool(parts.hostname) and (parts.scheme == "https" or (parts.scheme == "http" and is_loopback(parts.hostname or "")))
    except ValueError:
        return False


def judge_secrets(values: dict[str, Any], faults: list[str]) -> None:
    """Refuse a secret that is one of the words in `PLACEHOLDERS`, whether it is the whole secret or the password in an address."""
    for setting in SETTINGS:
        if setting.kind == "secret" and {values[setting.name].lower(), _password(values[setting.name]).lower()} & PLACEHOLDERS:
            faults.append(
                f"{setting.name}: this word stands in examples for a secret of your own and is known to everybody; "
                f"`churnwatch config key FILE` writes a random one into a file, to be named in {setting.env}_FILE"
            )


def _password(url: str) -> str:
    """Return the password in an address; "" where it has none."""
    try:
        parts = urlsplit(url)
        return unquote(parts.password or "") or parse_qs(parts.query).get("password", [""])[0]
    except ValueError:  # no address
        return ""


def is_on_this_machine(redis_url: str) -> bool:
    """Whether a Redis can be reached from this machine only, as far as its address says.

    >>> [is_on_this_machine(url) for url in ("redis://127.0.0.1:6379/1", "unix:///run/redis.sock", "rediss://u:p@redis.example", "redis://[::1]")]
    [True, True, False, True]
    """
    parts = urlsplit(redis_url)
    return parts.scheme == "unix" or is_loopback(parts.hostname or "")


def judge_kafka(values: dict[str, Any], faults: list[str]) -> None:
    """Judge how Kafka is reached."""
    if values["kafka.replication"] == 0:
        faults.append("kafka.replication: at least 1, or -1 for the broker's default, got 0")
    protocol, mechanism = values["kafka.security_protocol"], values["kafka.sasl_mechanism"]
    if protocol not in PROTOCOLS:
        faults.append(f"kafka.security_protocol: one of {', '.join(PROTOCOLS)}, got {protocol!r}{nearest(protocol, list(PROTOCOLS))}")
    elif protocol.startswith("SASL"):
        _judge_sasl(values, faults)
    elif mechanism or values["kafka.user"] or values["kafka.password"] or values["kafka.token_file"] or values["kafka.token_command"]:
        wanted = "SASL_SSL" if protocol == "SSL" else "SASL_SSL (or SASL_PLAINTEXT)"
        faults.append(f"kafka.security_protocol: {protocol} sends no user and no token, set it to {wanted}")
    tls_files = [name for name in ("kafka.ca_file", "kafka.cert_file", "kafka.key_file") if values[name]]
    if tls_files and not protocol.endswith("SSL"):
        faults.append(f"{tls_files[0]}: not used with kafka.security_protocol {protocol}, set it to SSL or SASL_SSL")
    for section in ("kafka", "redis"):
        if values[f"{section}.key_file"] and not values[f"{section}.cert_file"]:
            faults.append(f"{section}.key_file: a key is of no use without its certificate in {section}.cert_file")


def _judge_sasl(values: dict[str, Any], faults: list[str]) -> None:
    protocol, mechanism = values["kafka.security_protocol"], values["kafka.sasl_mechanism"]
    if mechanism not in SASL_MECHANISMS:
        faults.append(
            f"kafka.sasl_mechanism: one of {', '.join(SASL_MECHANISMS)}, got {mechanism!r}{nearest(mechanism, list(SASL_MECHANISMS))}"
        )
    elif mechanism == "OAUTHBEARER":
        if bool(values["kafka.token_file"]) == bool(values["kafka.token_command"]):
            faults.append("kafka.token_file: OAUTHBEARER needs either this or kafka.token_command")
    elif not values["kafka.user"] or not values["kafka.password"]:
        faults.append(f"kafka.user: {mechanism} needs a user, and a password in CHURNWATCH_KAFKA_PASSWORD")
    hosts = [one.rsplit(":", 1)[0] for one in values["kafka.bootstrap"].split(",")]
    if protocol == "SASL_PLAINTEXT" and mechanism in {"PLAIN", "OAUTHBEARER"} and not all(map(is_loopback, hosts)):
        faults.append(
            f"kafka.security_protocol: {mechanism} over SASL_PLAINTEXT shows the secret to everybody on the way: set SASL_SSL, or use SCRAM-SHA-512"
        )


def _judge_addresses(values: dict[str, Any], faults: list[str]) -> None:
    if not all(_ADDRESS.match(one) for one in values["kafka.bootstrap"].split(",")):
        # not shown: whoever puts a whole URL here may have put a password into it
        faults.append('kafka.bootstrap: must be host:port, several with commas: "kafka-1:9092,kafka-2:9092"')
    if not _REDIS_URL.match(values["redis.url"]):
        faults.append(
            "redis.url: must be redis://host:port or rediss:// with user:password@ before the host if it asks for them; "
            "write / ? # in a password as %2F %3F %23"
        )
    if not values["redis.url"].startswith("rediss:") and any(values[f"redis.{name}"] for name in ("ca_file", "cert_file")):
        faults.append("redis.ca_file, redis.cert_file: not used with this redis.url, TLS is rediss://")
    if not _CURRENCY.match(values["page.currency"]):
        faults.append(f'page.currency: must be a code of three capital letters such as "EUR", got {values["page.currency"]!r}')
    for name in ("worker.web", "history.web"):
        _judge_web(name, values, faults)
    if any(sign in values["history.dir"] for sign in "*?["):
        faults.append(f"history.dir: must not hold *, ? or [, which would be taken for a pattern, got {values['history.dir']!r}")


def _judge_web(name: str, values: dict[str, Any], faults: list[str]) -> None:
    web = values[name]
    if web and not _ADDRESS.match(web):
        faults.append(f"{name}: must be host:port or empty, got {web!r}")
    elif web and not is_loopback(web.rpartition(":")[0]) and not values["worker.web_token"]:
        faults.append(
            f"{name} is {web}, which others can reach: set CHURNWATCH_WEB_TOKEN to a long random text "
            "(`churnwatch config key web.token` makes one, for CHURNWATCH_WEB_TOKEN_FILE), or listen on 127.0.0.1"
        )
