"""The camera sees what is wrong with a page: every check is red for a page that has its fault, and none for a sound one."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Browser

from tests.web.camera import Camera, Taken
from tests.web.pictures import contact_sheet, run
from tests.web.shots import LAPTOP, PHONE, Page, Place, Shot, every, few

SOUND = "<h1>At risk</h1><p>Nobody is at risk now.</p><a href='/'>Back</a>"
BODIES = {
    "/sound": SOUND,
    "/wide": f"{SOUND}<div style='width:2000px'>wide</div>",
    "/crash": f"{SOUND}<script>null.length</script>",
    "/policy": f"{SOUND}<object data='/other' aria-label='other'></object>",
    "/console": f"{SOUND}<script>console.error('a fault')</script>",
    "/foreign": f"{SOUND}<img alt='' src='http://127.0.0.1:1/pixel.png'>",
    "/broken": f"{SOUND}<img alt='' src='/no-such-picture.png'>",
    "/unnamed": f"{SOUND}<input>",
    "/faint": f"{SOUND}<p style='color:#ccc'>hardly to be read</p>",
    "/heavy": f"{SOUND}<p hidden>{'heavy ' * 30_000}</p>",
    "/scripted": f"{SOUND}<script src='/long.js'></script>",
    "/english-only": SOUND,
    "/late-wide": f"{SOUND}<script>document.querySelector('h1').style.width = '1900px'</script>",
}
FAULTS = {
    "/wide": "scrolls sideways", "/crash": "console error", "/policy": "console error", "/console": "a fault", "/foreign": "another host",
    "/broken": "404 /no-such-picture.png", "/unnamed": "axe label", "/faint": "axe color-contrast", "/heavy": "too heavy", "/scripted": "too much script",
    "/english-only": "language 'en'", "/late-wide": "scrolls sideways", "/gone": "answers 404",
}  # fmt: skip
"""A page with one fault, and what the finding says of it."""


class Pages(BaseHTTPRequestHandler):
    """Serves pages that are sound but for one fault."""

    def do_GET(self) -> None:
        address = urlsplit(self.path)
        lang = "en" if address.path == "/english-only" else parse_qs(address.query).get("lang", ["en"])[0]
        body = BODIES.get(address.path)
        if address.path == "/long.js":
            self._answer(200, "text/javascript", "//" + "x" * 11_000)
        elif body is None:
            self._answer(404, "text/html", page(lang, "<h1>There is no such page</h1>"))
        else:
            self._answer(200, "text/html", page(lang, body))

    def _answer(self, status: int, kind: str, text: str) -> None:
        self.send_response(status)
        self.send_header("Content-Type", f"{kind}; charset=utf-8")
        self.send_header("Content-Security-Policy", "default-src * data: 'unsafe-inline'; object-src 'none'")
        self.send_header("Content-Length", str(len(text.encode())))
        self.end_headers()
        self.wfile.write(text.encode())

    def log_message(self, *_arguments: object) -> None:
        """Stay silent."""


def page(lang: str, body: str) -> str:
    return (
        f"<!doctype html><html lang='{'zh-Hans' if lang == 'zh' else lang}'><head><meta charset='utf-8'><link rel='icon' href='data:,'>"
        f"<meta name='viewport' content='width=device-width,initial-scale=1'><title>A page</title></head><body><main>{body}</main></body></html>"
    )


@pytest.fixture(scope="module")
def place() -> Iterator[Place]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Pages)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield Place(f"http://127.0.0.1:{server.server_address[1]}", {"session": "signed"})
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture(scope="module")
def seen(place: Place, browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[str]]:
    """What the camera finds on each page: one picture each, in one browser."""
    folder = tmp_path_factory.mktemp("pictures")
    camera = Camera(browser, folder)
    found = {path: camera.take(place, Shot(Page(path[1:], path), LAPTOP, "light", "zh")).found for path in (*BODIES, "/gone")}
    found["phone"] = camera.take(place, Shot(Page("sound", "/sound"), PHONE, "dark", "en")).found
    found["phone wide"] = camera.take(place, Shot(Page("wide", "/wide"), PHONE, "dark", "en")).found
    found["expected"] = camera.take(place, Shot(Page("gone", "/gone?x=1", status=404), LAPTOP, "light", "zh")).found
    assert len(list(folder.glob("*.png"))) == len(found) - 1  # one page is opened twice
    return found


def test_a_sound_page_leaves_nothing_to_say(seen: dict[str, list[str]]) -> None:
    assert seen["/sound"] == seen["phone"] == seen["expected"] == []


@pytest.mark.parametrize("path", FAULTS)
def test_a_fault_is_found_and_nothing_else(path: str, seen: dict[str, list[str]]) -> None:
    assert len(seen[path]) == 1, seen[path]
    assert FAULTS[path] in seen[path][0]


def test_a_page_that_widens_a_phone_is_found(seen: dict[str, list[str]]) -> None:
    assert any("should be 390" in what for what in seen["phone wide"])


PAGES = (Page("sound", "/sound", critical=True), Page("sound", "/sound", "empty"), Page("faint", "/faint"))


def test_every_page_is_seen_in_each_way() -> None:
    assert len({shot.name for shot in every(PAGES)}) == 3 * 2 * 2 * 2
    assert [shot.name for shot in few(PAGES)] == [
        "sound-full-laptop-light-en", "sound-empty-laptop-light-en", "faint-full-laptop-light-en",
        "sound-full-phone-light-en", "sound-full-phone-dark-zh", "sound-full-laptop-dark-zh",
    ]  # fmt: skip
    assert Shot(Page("a", "/a?channel=x"), PHONE, "dark", "zh").path == "/a?channel=x&lang=zh&theme=dark"


def test_the_program_says_what_it_found_and_ends_with_one(
    place: Place, browser: Browser, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    opened = []

    @contextmanager
    def worlds(state: str) -> Iterator[Place]:
        opened.append(state)
        yield place

    def browse() -> AbstractContextManager[Browser]:
        return nullcontext(browser)

    assert run([str(tmp_path), "--few"], PAGES, worlds, browse) == 1
    assert opened == ["empty", "full"]
    assert "6 pictures, 1 findings" in capsys.readouterr().out
    sheet = (tmp_path / "index.html").read_text()
    assert sheet.count("<figure") == sheet.count("<img") == 6
    assert "axe color-contrast" in sheet
    assert run([str(tmp_path), "--only", "sound-empty-phone-dark-zh"], PAGES, worlds, browse) == 0


def test_a_name_that_no_picture_has_is_refused_with_those_there_are(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run([str(tmp_path), "--only", "nothing"], PAGES, lambda state: pytest.fail("no world is needed")) == 2
    assert "faint-full, sound-empty, sound-full" in capsys.readouterr().err


def test_the_contact_sheet_escapes_what_was_found(tmp_path: Path) -> None:
    sheet = contact_sheet([Taken(every(PAGES)[0], tmp_path / "a.png", ["<script>"])])
    assert "<script>" not in sheet
    assert "&lt;script&gt;" in sheet
