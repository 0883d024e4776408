"""Whom does the provider of OpenID Connect send, and with which role? Authorization code with PKCE, state and nonce (OpenID Connect Core 1.0, RFC 7636).

All that must be remembered between going and coming back is derived from one random secret in the browser's cookie, so nothing is kept here, and any process
may answer who comes back. What the provider says is believed only when its signature, issuer, audience, nonce and time are right.
"""

from __future__ import annotations

import hmac
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal
from urllib.parse import urlsplit

import httpx
from authlib.oauth2.rfc6749.parameters import prepare_grant_uri  # type: ignore[import-untyped]  # ships no types
from authlib.oauth2.rfc7636 import create_s256_code_challenge  # type: ignore[import-untyped]  # the same
from authlib.oidc.core import CodeIDToken  # type: ignore[import-untyped]  # the same
from joserfc import jwt
from joserfc.errors import ClaimError, ExpiredTokenError, InvalidKeyIdError, JoseError
from joserfc.jwk import KeySet
from joserfc.jws import JWSRegistry

from insights.store.roles import Role
from insights.store.secrets import hash_of
from stream.settings import Settings, is_loopback

Why = Literal["away", "issuer", "state", "denied", "code", "signature", "audience", "nonce", "expired", "claims", "role"]
ALGORITHMS = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "Ed25519", "EdDSA"]
"""Signatures by a key that only the provider has: neither "none" nor one made with the client's secret."""
TIMEOUT_S = 10.0
KEPT_S = 3600.0
"""What the provider says of itself is asked for again after so long."""
LEEWAY_S = 60
"""So far may its clock be from ours."""
DONE = "/sign-in/done"
"""Where it sends people back to; its administrator must allow page.url with this path."""


class ProviderRefused(Exception):
    """Nobody is let in.

    Attributes
    ----------
    why : Why
        In one word, for the audit log.
    """

    def __init__(self, why: Why, said: str) -> None:
        super().__init__(said)
        self.why: Why = why


@dataclass(frozen=True, slots=True)
class Visitor:
    """Somebody whom the provider sent. They are known by issuer and subject; names and addresses may change hands."""

    issuer: str
    subject: str
    name: str
    email: str | None
    role: Role


@dataclass(frozen=True, slots=True)
class _Metadata:
    """What the provider says of itself and its keys, as of a moment of `time.monotonic`."""

    at_s: float
    said: Mapping[str, Any]
    keys: KeySet


def role_from(said: object, roles: Mapping[Role, tuple[str, ...]]) -> Role | None:
    """Return the highest role that a claim gives; "*" stands for everybody whom the provider lets in.

    >>> role_from(["growth", "staff"], {"viewer": ("*",), "analyst": ("growth",), "admin": ("churn-admins",)})
    'analyst'
    >>> role_from(None, {"analyst": ("growth",)}) is None
    True
    """
    values = {said} if isinstance(said, str) else {one for one in said if isinstance(one, str)} if isinstance(said, list) else set()
    order: tuple[Role, ...] = ("admin", "analyst", "viewer")
    return next((role for role in order if {"*", *values} & {*roles.get(role, ())}), None)


class Provider:
    """A provider. Its methods wait for the network, so they are called beside the requests.

    Parameters
    ----------
    settings : Settings
        With page.oidc_issuer, which may not be empty here.
    """

    def __init__(self, settings: Settings) -> None:
        self.issuer: str = settings["page.oidc_issuer"]
        self.name = urlsplit(self.issuer).hostname or self.issuer
        self._client_id, self._secret = settings["page.oidc_client_id"], settings["page.oidc_client_secret"]
        self._done = settings["page.url"].rstrip("/") + DONE
        self._scope = " ".join(settings["page.oidc_scopes"])
        self._claim = settings["page.oidc_claim"]
        self._roles: dict[Role, tuple[str, ...]] = {
            "viewer": settings["page.oidc_viewers"],
            "analyst": settings["page.oidc_analysts"],
            "admin": settings["page.oidc_admins"],
        }
        self._metadata: _Metadata | None = None

    def begin(self, secret: str) -> str:
        """Return the provider's address to which a browser with this secret goes.

        Raises
        ------
        ProviderRefused
            It is away, or is another one than the settings say.
        """
        return str(
            prepare_grant_uri(
                self._address("authorization_endpoint"), self._client_id, "code", self._done, self._scope, _state(secret),
                nonce=_nonce(secret), code_challenge=create_s256_code_challenge(_verifier(secret)), code_challenge_method="S256",
            )
        )  # fmt: skip

    def finish(self, secret: str, asked: Mapping[str, str]) -> Visitor:
        """Return whom it sent.

        Parameters
        ----------
        secret : str
            From the cookie of the browser that came back.
        asked : mapping
            The query with which it came.

        Raises
        ------
        ProviderRefused
        """
        if not secret or not hmac.compare_digest(asked.get("state", "").encode(), _state(secret).encode()):
            raise ProviderRefused("state", "they came back from a sign-in that this browser has not begun, or that was finished already")
        if asked.get("iss", self.issuer) != self.issuer:
            raise ProviderRefused("issuer", f"another provider than {self.issuer} answered")  # RFC 9207: two providers are not mixed up
        if "code" not in asked:
            raise ProviderRefused("denied", "the provider did not let them in")
        answer = self._exchanged(asked["code"], _verifier(secret))
        claims = self._claims(answer.get("id_token"), answer.get("access_token", ""), _nonce(secret))
        return self._visitor(claims, answer)

    def look(self) -> None:
        """Ask the provider what it says of itself. Raises ProviderRefused when it is away, or another one."""
        self._renew()

    def _exchanged(self, code: str, verifier: str) -> Mapping[str, Any]:
        form = {"grant_type": "authorization_code", "code": code, "redirect_uri": self._done, "code_verifier": verifier}
        basic = "client_secret_basic" in self._known().said.get("token_endpoint_auth_methods_supported", ["client_secret_basic"])
        auth = (self._client_id, self._secret) if self._secret and basic else None
        if auth is None:
            form |= {"client_id": self._client_id} | ({"client_secret": self._secret} if self._secret else {})
        try:
            answer = httpx.post(self._address("token_endpoint"), data=form, auth=auth, timeout=TIMEOUT_S)
            said = answer.json()
        except (httpx.HTTPError, ValueError) as error:
            raise ProviderRefused("away", "the provider does not answer with a token") from error
        if answer.status_code != httpx.codes.OK or not isinstance(said, dict):
            raise ProviderRefused("code", f"the provider does not take the code: {said.get('error', '') if isinstance(said, dict) else ''}")
        return said

    def _renew(self) -> _Metadata:
        try:
            said = _json(self.issuer.rstrip("/") + "/.well-known/openid-configuration")
            if said.get("issuer") != self.issuer:
                raise ProviderRefused(
                    "issuer", f"page.oidc_issuer is {self.issuer}, but the provider there calls itself {said.get('issuer')}"
                )
            keys = KeySet.import_key_set(_json(_safe(said.get("jwks_uri"))))  # type: ignore[arg-type]  # judged by joserfc
        except (httpx.HTTPError, ValueError, JoseError, KeyError, TypeError) as error:
            raise ProviderRefused("away", f"the provider {self.issuer} does not say what it is: {type(error).__name__}") from error
        self._metadata = _Metadata(time.monotonic(), said, keys)
        return self._metadata

    def _known(self) -> _Metadata:
        known = self._metadata
        return known if known is not None and time.monotonic() - known.at_s < KEPT_S else self._renew()

    def _address(self, name: str) -> str:
        return _safe(self._known().said.get(name))

    def _claims(self, id_token: object, access_token: str, nonce: str) -> Mapping[str, Any]:
        try:
            try:
                token = self._signed(str(id_token))
            except InvalidKeyIdError:  # it has taken a new key
                self._renew()
                token = self._signed(str(id_token))
        except (JoseError, ValueError) as error:
            raise ProviderRefused("signature", "what the provider says of them is not signed with its key") from error
        wanted = {
            "iss": {"essential": True, "value": self.issuer},
            "aud": {"essential": True, "value": self._client_id},
        }
        params = {"nonce": nonce, "client_id": self._client_id, "access_token": access_token}
        claims = CodeIDToken(token.claims, token.header, wanted, params)
        try:
            claims.validate(leeway=LEEWAY_S)
        except ExpiredTokenError as error:
            raise ProviderRefused("expired", "what the provider says of them has expired") from error
        except ClaimError as error:
            names: dict[str, Why] = {"iss": "issuer", "aud": "audience", "azp": "audience", "nonce": "nonce"}
            raise ProviderRefused(names.get(error.claim, "claims"), f"the claim {error.claim} is not right") from error
        return dict(claims)

    def _signed(self, id_token: str) -> jwt.Token:
        return jwt.decode(id_token, self._known().keys, registry=JWSRegistry(algorithms=ALGORITHMS, strict_check_header=False))

    def _visitor(self, claims: Mapping[str, Any], answer: Mapping[str, Any]) -> Visitor:
        if self._claim not in claims and "userinfo_endpoint" in self._known().said:
            claims = {**self._more(claims["sub"], answer), **claims}
        role = role_from(claims.get(self._claim), self._roles)
        if role is None:
            raise ProviderRefused("role", f"the claim {self._claim} gives them no role")
        email = claims.get("email")
        name = next((claims[one] for one in ("name", "preferred_username", "email") if isinstance(claims.get(one), str)), claims["sub"])
        return Visitor(self.issuer, str(claims["sub"]), str(name), email if isinstance(email, str) else None, role)

    def _more(self, subject: str, answer: Mapping[str, Any]) -> Mapping[str, Any]:
        """Ask for what is not in the token: some providers give groups only so."""
        try:
            said = _json(self._address("userinfo_endpoint"), {"Authorization": f"Bearer {answer.get('access_token', '')}"})
        except (httpx.HTTPError, ValueError) as error:
            raise ProviderRefused("away", "the provider does not say more of them") from error
        if said.get("sub") != subject:
            raise ProviderRefused("claims", "the provider speaks of somebody else")
        return said


def _state(secret: str) -> str:
    return hash_of(f"state {secret}")


def _nonce(secret: str) -> str:
    return hash_of(f"nonce {secret}")


def _verifier(secret: str) -> str:
    return hash_of(f"verifier {secret}")


def _json(url: str, headers: Mapping[str, str] | None = None) -> Mapping[str, Any]:
    found = httpx.get(url, headers=headers, timeout=TIMEOUT_S).raise_for_status().json()
    if not isinstance(found, dict):
        raise TypeError("no object")
    return found


def _safe(url: object) -> str:
    """Return an address that the provider gave, if what goes there is encrypted or stays on this machine."""
    parts = urlsplit(url if isinstance(url, str) else "")
    if parts.scheme != "https" and not (parts.scheme == "http" and is_loopback(parts.hostname or "")):
        raise ValueError("not https")
    return str(url)
