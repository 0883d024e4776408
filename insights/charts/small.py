"""What stands inside a row or a sentence? A line without axes, a bar, a meter. The number is said beside each, so they are silent to a screen reader."""

from __future__ import annotations

from collections.abc import Sequence

from markupsafe import Markup

from insights.charts.series import runs
from insights.charts.svg import ENDS, circle, colour, line, px

SPARK = (72.0, 22.0)
"""Width and height of a line without axes, px."""


def _silent(kind: str, box: str, body: str) -> Markup:
    return Markup(f'<svg class="{kind}" xmlns="http://www.w3.org/2000/svg" {box} aria-hidden="true" {ENDS}>{body}</svg>')  # noqa: S704 - numbers only


def spark(shares: Sequence[float | None], of: str = "accent") -> Markup:
    """Draw shares, 0 to 1, as a line without axes; the ends are 0 and 1, so that lines of several people compare.

    Parameters
    ----------
    shares : sequence of float or None
        In order of time, such as a risk for each of 14 days; None is a gap.
    of : str
        Name of the colour, such as that of the risk band.
    """
    width, height = SPARK
    step = (width - 8) / max(1, len(shares) - 1)

    def place(at: int, share: float) -> tuple[float, float]:
        return 4 + step * at, 3 + (height - 6) * (1 - min(1.0, max(0.0, share)))

    drawn, end = [], None
    for run in runs(shares):
        points = [place(at, share) for at, share in run]
        end = points[-1]
        if len(points) > 1:
            drawn.append(line("M" + "L".join(f"{px(x)} {px(y)}" for x, y in points), of, thick=1.5))
        elif run[0][0] < len(shares) - 1:
            drawn.append(circle(*points[0], 1, of))
    if end is not None:
        drawn.append(circle(*end, 2.2, of))
    return _silent("spark", f'viewBox="0 0 {px(width)} {px(height)}" width="{px(width)}" height="{px(height)}"', "".join(drawn))


def bar(share: float | None, of: str = "accent", height: float = 8) -> Markup:
    """Draw a share, 0 to 1, as a bar over the whole width of its place.

    Parameters
    ----------
    share : float or None
        What is outside 0 to 1 is cut; None and NaN are an empty bar.
    of : str
        Name of the colour.
    height : float
        px.
    """
    part = 0.0 if share is None or share != share else min(1.0, max(0.0, share))  # noqa: PLR0124 - NaN only
    radius = px(height / 2)
    # more than nothing is seen, however little it is
    least = f'<rect width="{px(height)}" height="{px(height)}" rx="{radius}" fill="{colour(of)}"/>' if part > 0 else ""
    filled = f'<rect width="{px(part * 100)}%" height="{px(height)}" rx="{radius}" fill="{colour(of)}"/>' if part > 0 else ""
    ground = f'<rect width="100%" height="{px(height)}" rx="{radius}" fill="{colour("sunken")}"/>'
    return _silent("bar", f'width="100%" height="{px(height)}"', ground + least + filled)


def meter(have: float, need: float, of: str = "warn") -> Markup:
    """Draw how much of what is needed there is. The words beside it say both numbers.

    Raises
    ------
    ValueError
        If nothing is needed.
    """
    if not need > 0:
        raise ValueError(f"what is needed must be positive, got {need}")
    return bar(have / need, of, height=6)
