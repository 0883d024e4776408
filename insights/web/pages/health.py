"""What machines ask of the page: `/live`, and `/metrics` for Prometheus."""

from __future__ import annotations

from fastapi import APIRouter
from fastapi.responses import PlainTextResponse, Response
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from insights.web.parts import Has
from insights.web.who import needs

router = APIRouter()


@router.get("/live")
async def live() -> PlainTextResponse:
    """Say that the process answers. Open to everybody: it says no more than that."""
    return PlainTextResponse("ok\n")


@router.get("/metrics", dependencies=[needs("viewer")])
def metrics(parts: Has) -> Response:
    """Show the metrics."""
    view, board, intake = parts.engine.view(), parts.keeper.board, parts.intake()
    open_alerts = {name: board.open_count(name) for name in view.definitions}
    parts.metrics.look(open_alerts, {"redis": view.reached, "kafka": intake is not None and intake.reached})
    return Response(generate_latest(parts.metrics.registry), headers={"Content-Type": CONTENT_TYPE_LATEST})
