"""Certificates made on the spot with `openssl`: two CAs, and what they have signed."""

from __future__ import annotations

import subprocess
from pathlib import Path

KEY_PASSWORD = "opens-the-key"  # noqa: S105 - of a key made for one test


class Certificates:
    """PEM files in a folder: `ca` and `other_ca`; `server` (for localhost only), `client` and `expired` of the first, `stranger` of the other.

    Of each there is NAME.pem and NAME.key; of the client a `locked.key` too, under `KEY_PASSWORD`.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        for name in ("ca", "other_ca"):
            self._openssl(
                "req", "-x509", *_KEY, "-keyout", f"{name}.key", "-out", f"{name}.pem", "-days", "30", "-subj", f"/CN={name}",
                "-addext", "basicConstraints=critical,CA:TRUE",
            )  # fmt: skip
        for name, ca, days in (("server", "ca", 30), ("client", "ca", 30), ("stranger", "other_ca", 30), ("expired", "ca", -1)):
            self._sign(name, ca, days)
        self._openssl("pkcs8", "-topk8", "-in", "client.key", "-out", "locked.key", "-passout", f"pass:{KEY_PASSWORD}")
        (folder / "server_and_key.pem").write_text((folder / "server.key").read_text() + (folder / "server.pem").read_text())

    def __getitem__(self, name: str) -> str:
        return str(self.folder / name)

    def _sign(self, name: str, ca: str, days: int) -> None:
        self._openssl("req", "-new", *_KEY, "-keyout", f"{name}.key", "-out", f"{name}.csr", "-subj", f"/CN={name}")
        (self.folder / f"{name}.ext").write_text("subjectAltName=DNS:localhost\n")
        self._openssl(
            "x509", "-req", "-in", f"{name}.csr", "-CA", f"{ca}.pem", "-CAkey", f"{ca}.key", "-CAcreateserial", "-days", str(days),
            "-extfile", f"{name}.ext", "-out", f"{name}.pem",
        )  # fmt: skip

    def _openssl(self, *arguments: str) -> None:
        done = subprocess.run(["openssl", *arguments], cwd=self.folder, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr


_KEY = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes")
