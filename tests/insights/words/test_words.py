"""Every text is there in both languages, says the same in both, and is written as each language is written."""

from __future__ import annotations

import ast
import re
from pathlib import Path
from string import Formatter

import pytest

from features.definitions.reason import Reason
from insights.words import FILES, LANGUAGES, words
from insights.words.said import Said
from online_models.catalog import CATALOG
from online_models.champion import RULE
from online_models.quality import FIGURES
from stream.alerts.reasons import ROWS
from stream.shard.dead_letters import LABEL_REASONS

ALL = [(file, key, said) for file, table in FILES.items() for key, said in table.items()]
CHINESE = "\u3400-\u9fff"
HALF_WIDTH = re.compile(rf"[{CHINESE}」』”][,.:;!?()]|[,.:;!?()][{CHINESE}「『“]")
FORBIDDEN = re.compile(r"\bA\.?I\.?\b|\bchurned\b|\bchurner|\busers?\b|\bentit(?:y|ies)\b")
"""What the page does not say in English: it speaks of people, who went silent or really left."""


def faults_of(key: str, said: Said) -> list[str]:
    """What is wrong with one row."""
    faults = []
    if not (said.en.strip() and said.zh.strip()):
        faults.append("a language is missing")
    if not placeholders(said.en) == placeholders(said.zh) == (placeholders(said.one) if said.one else placeholders(said.en)):
        faults.append("the languages have other values")
    if said.one and "n" not in placeholders(said.en):
        faults.append("there is a form for one, but no n")
    if HALF_WIDTH.search(said.zh):
        faults.append("half-width punctuation in Chinese")
    if FORBIDDEN.search(without_code(said.en)) or "人工智能" in said.zh:
        faults.append("a word that the page does not use")
    if re.search(f"[{CHINESE}]", said.en + said.one) or re.search("[，。：；！？（）]", said.en + said.one):  # noqa: RUF001 - these are looked for
        faults.append("Chinese in the English")
    if key != key.strip():
        faults.append("blanks around the key")
    return faults


def placeholders(text: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(text) if name is not None}


def without_code(text: str) -> str:
    return re.sub(r"`[^`]*`", "", text)


@pytest.mark.parametrize(("file", "key", "said"), ALL, ids=[f"{file}:{key}" for file, key, _ in ALL])
def test_a_text_is_sound_in_both_languages(file: str, key: str, said: Said) -> None:
    assert not faults_of(key, said)


@pytest.mark.parametrize(
    "said",
    [
        Said("Hello", ""),
        Said("{n} people", "{m} 人"),
        Said("{n} people", "{n} 人", one="{k} person"),
        Said("Some people", "一些人", one="A person"),
        Said("Now, please", "现在,请"),
        Said("Sort: risk", "排序: 风险"),
        Said("The AI says", "模型认为"),
        Said("3 users churned", "3 人流失"),
        Said("Risk，high", "高风险"),  # noqa: RUF001 - the fault to be found
    ],
)
def test_an_unsound_text_is_seen(said: Said) -> None:
    assert faults_of("key", said)


def test_no_key_stands_in_two_files() -> None:
    keys = [key for _, key, _ in ALL]
    assert len(keys) > 200
    assert not {key for key in keys if keys.count(key) > 1}


def repeated(file: Path) -> list[str]:
    """Keys that a file gives twice: Python keeps the second without a word."""
    found: list[str] = []
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Dict):
            found += [key.value for key in node.keys if isinstance(key, ast.Constant) and isinstance(key.value, str)]
    return sorted({key for key in found if found.count(key) > 1})


@pytest.mark.parametrize("file", FILES)
def test_no_key_stands_twice_in_a_file(file: str) -> None:
    assert not repeated(Path(__file__).parents[3] / "insights" / "words" / f"{file}.py")


def test_a_key_that_stands_twice_is_seen(tmp_path: Path) -> None:
    file = tmp_path / "words.py"
    file.write_text('WORDS = {**phrases({"Name": "姓名"}), "Name": Said("Name", "名称")}')
    assert repeated(file) == ["Name"]


@pytest.mark.parametrize("lang", LANGUAGES)
def test_an_unknown_key_or_a_missing_value_is_an_error(lang: str) -> None:
    with pytest.raises(KeyError):
        words(lang).t("no such text")  # type: ignore[arg-type]  # pytest gives it as a str
    with pytest.raises(KeyError):
        words(lang).t("as of")  # type: ignore[arg-type]  # see above


def test_an_unknown_language_is_refused_with_those_there_are() -> None:
    with pytest.raises(ValueError, match="en, zh"):
        words("fr")  # type: ignore[arg-type]  # the fault to be found


def test_values_of_strangers_are_not_read_as_templates() -> None:
    assert words("en").t("as of", moment="{0.__class__} {key}") == "as of {0.__class__} {key}"


CLOSED_SETS = {
    "reason": {"key" if row.topic.startswith("key ") else row.topic for row in ROWS},
    "reject": {reason.name for reason in Reason} | set(LABEL_REASONS),
    "model": {model.name for model in CATALOG} | {RULE},
    "figure": set(FIGURES),
}
"""Codes of the engine that the page has words for."""


@pytest.mark.parametrize("name", CLOSED_SETS)
def test_every_code_of_the_engine_has_words(name: str) -> None:
    keys = {key for _, key, _ in ALL}
    assert CLOSED_SETS[name]
    assert not {f"{name}.{code}" for code in CLOSED_SETS[name]} - keys
