"""A provider of OpenID Connect on this machine: oidc-provider-mock, with a layer before it that asks for PKCE, and that lies when it is told to.

The layer signs with a key of its own, so that a test may change what the provider says of somebody and have it signed all the same.
"""

from __future__ import annotations

import base64
import hashlib
import io
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import oidc_provider_mock
import werkzeug.serving
from joserfc import jwt
from joserfc.jwk import ECKey, KeySet, RSAKey
from werkzeug.wrappers import Request, Response

Claims = dict[str, Any]


class LyingProvider:
    """The provider. What is set here holds from the next request on.

    Attributes
    ----------
    lie : callable
        Changes the claims before they are signed.
    sign : callable
        Signs claims; by default by the newest of `keys`.
    keys : list of ECKey or RSAKey
        What it says its keys are; the newest signs.
    says : dict
        Added to what it says of itself.
    hidden : set of str
        Claims that stand in its user info only.
    asked : list of (str, dict)
        Paths and forms or queries that it was asked for.
    """

    def __init__(self) -> None:
        self.keys: list[ECKey | RSAKey] = [new_key("first")]
        self.lie: Callable[[Claims], Claims] = lambda claims: claims
        self.sign: Callable[[Claims], str] = self.signed
        self.says: dict[str, Any] = {}
        self.hidden: set[str] = set()
        self.asked: list[tuple[str, dict[str, str]]] = []
        self.away = False
        self._challenges: dict[str, str] = {}
        self._behind = oidc_provider_mock.app(require_nonce=True)
        self.url = ""

    def signed(self, claims: Claims) -> str:
        key = self.keys[-1]
        return jwt.encode({"alg": "RS256" if isinstance(key, RSAKey) else "ES256", "kid": key.kid}, claims, key)

    def knows(self, subject: str, **claims: Any) -> None:
        """Let the provider know somebody."""
        httpx.put(f"{self.url}/users/{subject}", json=claims).raise_for_status()

    def let_in(self, address: str, subject: str, **form: str) -> str:
        """Do what a person does at the provider; return the path and query of ours to which they are sent back."""
        answer = httpx.post(address, data={"sub": subject, **form})
        assert answer.status_code == 302, answer.text
        back = urlsplit(answer.headers["location"])
        return f"{back.path}?{back.query}"

    def __call__(self, environ: Any, start_response: Any) -> Any:
        body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        request = Request({**environ, "wsgi.input": io.BytesIO(body)})
        environ["wsgi.input"] = io.BytesIO(body)  # for whoever reads it after us
        self.asked.append((request.path, {**request.args.to_dict(), **(request.form.to_dict() if request.method == "POST" else {})}))
        answer: Any = self._behind
        if self.away:
            answer = Response("", 503)
        elif request.path == "/oauth2/token":
            answer = self._token(request, environ)
        elif request.path == "/jwks":
            answer = _json(KeySet(list(self.keys)).as_dict(private=False))
        elif request.path == "/.well-known/openid-configuration":
            answer = _json({**_said(self._behind, environ), **self.says})
        elif request.path == "/oauth2/authorize" and request.method == "POST":
            answer = self._authorize(request, environ)
        return answer(environ, start_response)

    def _authorize(self, request: Request, environ: Any) -> Response:
        assert request.args["code_challenge_method"] == "S256"
        answer = Response.from_app(self._behind, environ)
        location = answer.headers.get("location", "")
        asked = parse_qs(urlsplit(location).query)
        if "error" in asked and "state" not in asked:  # RFC 6749, 4.1.2.1, which the mock forgets
            answer.headers["location"] = f"{location}&state={request.args['state']}"
        self._challenges[asked.get("code", [""])[0]] = request.args["code_challenge"]
        return answer

    def _token(self, request: Request, environ: Any) -> Response:
        digest = hashlib.sha256(request.form["code_verifier"].encode()).digest()
        if self._challenges.get(request.form["code"]) != base64.urlsafe_b64encode(digest).decode().rstrip("="):
            return _json({"error": "invalid_grant"}, 400)
        answer = Response.from_app(self._behind, environ)
        if answer.status_code != 200:
            return answer
        said = json.loads(answer.get_data())
        payload = said["id_token"].split(".")[1]
        claims = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
        kept = {name: value for name, value in claims.items() if name not in self.hidden}
        return _json({**said, "id_token": self.sign(self.lie(kept))})


def new_key(kid: str) -> ECKey:
    """Return a new key with a name; one of RSA would take a second to make."""
    return ECKey.generate_key("P-256", {"kid": kid, "use": "sig", "alg": "ES256"})


@contextmanager
def running_provider() -> Iterator[LyingProvider]:
    """Run a provider; its address is `url`."""
    provider = LyingProvider()
    server = werkzeug.serving.make_server("localhost", 0, provider, threaded=True)
    provider.url = f"http://localhost:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    try:
        yield provider
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def _json(value: Any, status: int = 200) -> Response:
    return Response(json.dumps(value), status, content_type="application/json")


def _said(app: Any, environ: Any) -> Any:
    return json.loads(Response.from_app(app, environ).get_data())
