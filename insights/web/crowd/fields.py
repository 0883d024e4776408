"""By what may people be told apart? A field of their events or a trait, as the analyses name them."""

from __future__ import annotations

import re

from fastapi import Request

from insights.web.crowd.questions import BY
from insights.web.filters import WrongFilter, text_of

FIELD = re.compile(r"channel|type|item|session|(props|traits)\.[\w.$ -]{1,64}")


def field_of(request: Request, name: str = "by", default: str = BY) -> str:
    """Return the field that an address names.

    Raises
    ------
    WrongFilter
        For what is none.
    """
    asked = text_of(request, name) or default
    if not FIELD.fullmatch(asked):
        raise WrongFilter(name, asked, ("channel", "type", "props.plan", "traits.country"))
    return asked
