"""Keys, tokens and passwords: a word of the examples is none, a Redis that others reach needs a key, and making one is one command."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest
from typer.testing import CliRunner

from stream.cli import app
from stream.ownership.served import model_key
from stream.settings import Settings, SettingsError, load_settings

NOBODY_ELSES = "redis://redis.example:6379"


def loaded(**environment: str) -> Settings:
    return load_settings(Path("/dev/null"), {f"CHURNWATCH_{name}": value for name, value in environment.items()})


@pytest.mark.parametrize(
    "url", ["redis://127.0.0.1:6379", "redis://localhost", "redis://:p@[::1]:6379/2", "unix:///run/redis.sock", "rediss://127.8.0.1"]
)
def test_on_this_machine_an_app_without_a_key_goes_on_as_before(url: str) -> None:
    """Versions that it signed by its name are read on."""
    assert model_key(loaded(REDIS=url)) == b"churnwatch/churnwatch"


@pytest.mark.parametrize(
    "url", [NOBODY_ELSES, "redis://10.0.0.7", "rediss://u:p@redis.example", "redis://0.0.0.0", "redis://[fe80::1]:6379"]
)
def test_a_redis_that_others_reach_needs_a_key(url: str) -> None:
    with pytest.raises(SettingsError, match="churnwatch config key"):
        model_key(loaded(REDIS=url))
    assert model_key(loaded(REDIS=url, MODEL_KEY="of my own")) == b"of my own"


@pytest.mark.parametrize("command", ["run", "train"])
def test_the_start_is_refused_before_anything_is_connected(command: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CHURNWATCH_REDIS", NOBODY_ELSES)
    done = CliRunner().invoke(app, [command])
    assert isinstance(done.exception, SettingsError)
    assert "learning.key" in str(done.exception)


@pytest.mark.parametrize("word", ["change-me", "CHANGE-ME", "changeme"])
@pytest.mark.parametrize(
    "where", [{"MODEL_KEY": "{}"}, {"WEB_TOKEN": "{}"}, {"REDIS": "redis://:{}@127.0.0.1"}, {"REDIS": "redis://127.0.0.1/0?password={}"}]
)
def test_a_word_of_the_examples_is_refused_everywhere(word: str, where: dict[str, str]) -> None:
    (name, form), *_ = where.items()
    with pytest.raises(SettingsError, match="config key") as caught:
        loaded(**{name: form.format(word)})
    assert f"CHURNWATCH_{name}_FILE" in str(caught.value)


def test_a_key_is_made_once_and_only_its_maker_can_read_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    first = CliRunner().invoke(app, ["config", "key"])
    assert first.exit_code == 0, first.output
    file = tmp_path / "churnwatch.key"
    key = file.read_text()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert len(key.strip()) >= 43
    assert key not in first.output
    again = CliRunner().invoke(app, ["config", "key"])
    assert "kept" in again.output
    assert file.read_text() == key
    assert model_key(loaded(REDIS=NOBODY_ELSES, MODEL_KEY_FILE=str(file))) == key.strip().encode()


def test_several_files_get_several_keys(tmp_path: Path) -> None:
    files = [tmp_path / "model.key", tmp_path / "web.token"]
    assert CliRunner().invoke(app, ["config", "key", *map(str, files)]).exit_code == 0
    assert len({file.read_text() for file in files}) == 2


def test_a_key_for_a_folder_that_is_not_there_is_said(tmp_path: Path) -> None:
    done = CliRunner().invoke(app, ["config", "key", str(tmp_path / "nowhere" / "key")])
    assert done.exit_code != 0
    assert "nowhere" in str(done.exception)


def test_the_settings_file_may_name_a_file_with_the_secret(tmp_path: Path) -> None:
    (tmp_path / "key").write_text("of my own\n")
    toml = tmp_path / "churnwatch.toml"
    toml.write_text(f'[learning]\nkey_file = "{tmp_path / "key"}"\n')
    assert load_settings(toml, {})["learning.key"] == "of my own"
    assert load_settings(toml, {"CHURNWATCH_MODEL_KEY": "of the environment"})["learning.key"] == "of the environment"


@pytest.mark.parametrize(("content", "says"), [(None, "No such file"), ("", "empty"), (b"\xff\xfe\x00", "text file")])
def test_a_file_without_a_secret_is_a_fault(content: str | bytes | None, says: str, tmp_path: Path) -> None:
    file = tmp_path / "key"
    if content is not None:
        file.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(SettingsError, match=says):
        loaded(MODEL_KEY_FILE=str(file))
    toml = tmp_path / "churnwatch.toml"
    toml.write_text(f'[learning]\nkey_file = "{file}"\n')
    with pytest.raises(SettingsError, match=says):
        load_settings(toml, {})
