"""What is said to somebody who may not? A page in the frame that says who may, or JSON for a program."""

from __future__ import annotations

from typing import cast

from fastapi import FastAPI, Request, Response
from fastapi.responses import JSONResponse
from starlette.concurrency import run_in_threadpool

from insights.web.forms import FormRefused
from insights.web.frame import draw
from insights.web.noted import note
from insights.web.who import API, Forbidden, lowest_role, who_asks


def add_refusals(app: FastAPI) -> None:
    """Let an application say them."""
    app.add_exception_handler(Forbidden, _forbidden)
    app.add_exception_handler(FormRefused, _form_refused)


async def _forbidden(request: Request, error: Exception) -> Response:
    wanted = cast(Forbidden, error).wanted
    if request.url.path.startswith(API):
        needed = f'the scope "{wanted}" is needed; an admin can make a token that has it'
        said = f'Bearer realm="churnwatch", error="insufficient_scope", scope="{wanted}"'
        return JSONResponse({"detail": needed}, 403, headers={"WWW-Authenticate": said})
    await run_in_threadpool(note, request, "refused", request.url.path)
    return draw(request, "forbidden.html", "state.forbidden", status=403, needed=lowest_role(wanted), mine=who_asks(request))


async def _form_refused(request: Request, _error: Exception) -> Response:
    return draw(request, "form_refused.html", "access.form", status=403)
