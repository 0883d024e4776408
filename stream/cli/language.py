"""The language in which a command says reasons: `--lang`, or CHURNWATCH_LANG for a whole shell."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from stream.alerts.spoken import Lang

if TYPE_CHECKING:
    from features.users.spec import FeatureSpec
    from stream.settings import Settings

LangOption = Annotated[
    Lang, typer.Option("--lang", envvar="CHURNWATCH_LANG", help="language of the reasons, en or zh; also from CHURNWATCH_LANG")
]


def names_of(settings: Settings, lang: Lang) -> FeatureSpec:
    """Return what the app calls its key events, funnel steps and channels. English needs none: its sentences stand in the alerts.

    Raises
    ------
    features.reader.AppUnknown
        If nothing is stored under the app's name.
    """
    from features.reader import UserReader
    from features.users.spec import FeatureSpec

    if lang == "en":
        return FeatureSpec()
    reader = UserReader(settings["redis.url"], settings["app.name"])
    try:
        return reader.spec.spec
    finally:
        reader.close()
