"""Which kinds of people are there, when nobody says beforehand? K-means over what they did, in logarithms.

How many: the number from 3 to 8 with the best silhouette. Centres are written with the result, and with `like` a later question puts people to those, so that groups
do not jump. Each is named by the two figures in which it differs most from all. How stable they are is told: centres of either half of the people put everybody to a
group, and how far both agree is the adjusted Rand index (1: fully, 0: as by chance). Below .6 the result says so.
"""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import msgspec
import numpy as np
import polars as pl
from numpy.typing import NDArray

from insights.analyses.analysis import OF_PEOPLE, Analysis, Cell, Column, Metric, Note, Result
from insights.analyses.crowd import Crowd
from insights.analyses.match import Bound
from insights.analyses.value import last_day
from stream.faults import UsageFault

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
FIGURES = ("active_days", "events_a_day", "recency_days", "tenure_days", "purchases", "revenue")
SEED = 20240229
MOST_FOR_SILHOUETTE = 2000
MOST_GROUPS = 8
STABLE = 0.6


class Clusters(msgspec.Struct, frozen=True, kw_only=True):
    """What can be asked; words in `insights/words/journeys.py`."""

    until: str | None = None
    like: str | None = None
    without: tuple[str, ...] = ()


class Centres(NamedTuple):
    """What puts people to groups.

    Attributes
    ----------
    names : list of str
    mean, scale : float64[figures]
        Of the logarithms over all people when the centres were found.
    at : float64[groups, figures]
        In units of `scale` from `mean`.
    """

    names: list[str]
    mean: Floats
    scale: Floats
    at: Floats

    def nearest(self, logs: Floats) -> Ints:
        """Return the group of each person."""
        away = ((logs - self.mean) / self.scale)[:, None] - self.at
        return np.asarray((away**2).sum(2).argmin(1), np.int64)


PEOPLE = """
SELECT
    user,
    count(*) AS active_days,
    sum(events) / count(*) AS events_a_day,
    {until} - max(day) AS recency_days,
    {until} - min(day) AS tenure_days,
    sum(purchases) AS purchases,
    greatest(sum(revenue), 0) AS revenue
FROM user_day WHERE day <= {until}{others}
GROUP BY user ORDER BY user
"""


def people_of(crowd: Crowd, asked: Clusters) -> pl.DataFrame:
    """Return everybody with their figures."""
    until = last_day(crowd, asked.until)
    bound = Bound()
    others = f" AND user NOT IN ({', '.join(map(bound, asked.without))})" if asked.without else ""
    found = crowd.frame(PEOPLE.format(until=f"CAST({bound(until)} AS DATE)", others=others), bound.values)
    return found.cast(dict.fromkeys(FIGURES, pl.Float64))


def logs_of(found: pl.DataFrame) -> Floats:
    """Return the figures as logarithms of 1 + value, a row a person."""
    return np.asarray(np.log1p(found.select(FIGURES).to_numpy()), np.float64)


def centres_of(logs: Floats) -> Centres:
    """Return the centres of the number of groups with the best silhouette, of equal ones the fewest; without enough different people none."""
    from sklearn.metrics import silhouette_score

    if len(np.unique(logs, axis=0)) <= MOST_GROUPS:
        return Centres([], np.zeros(len(FIGURES)), np.ones(len(FIGURES)), np.empty((0, len(FIGURES))))
    mean, scale = logs.mean(0), logs.std(0)
    scale = np.where(scale > 0, scale, 1.0)
    points = (logs - mean) / scale
    some = np.random.default_rng(SEED).permutation(len(points))[:MOST_FOR_SILHOUETTE]
    tried = {k: k_means(points, k) for k in range(3, MOST_GROUPS + 1)}

    def silhouette(k: int) -> float:
        labels = _nearest(points[some], tried[k])
        return float(silhouette_score(points[some], labels)) if len(set(labels)) > 1 else -1.0

    at = tried[max(tried, key=silhouette)]
    at = at[np.lexsort(at.T[::-1])]  # the order of groups does not depend on the starts
    return Centres(_names(at), mean, scale, at)


def k_means(points: Floats, k: int) -> Floats:
    """Return k centres: the best of ten starts by k-means++."""
    from sklearn.cluster import KMeans

    found = KMeans(k, init="k-means++", n_init=10, random_state=SEED).fit(points).cluster_centers_
    rounded: Floats = np.asarray(found, np.float64).round(6)  # its threads add up in any order
    return rounded


def _nearest(points: Floats, at: Floats) -> Ints:
    return np.asarray(((points[:, None] - at) ** 2).sum(2).argmin(1), np.int64)


def _names(at: Floats) -> list[str]:
    """Return a name for each centre: the two figures in which it is farthest from all, and on which side."""
    names: list[str] = []
    for centre in at:
        first, second = np.argsort(-np.abs(centre), kind="stable")[:2]
        name = ", ".join(f"{'high' if centre[figure] > 0 else 'low'} {FIGURES[figure]}" for figure in (first, second))
        names.append(name if name not in names else f"{name} ({sum(other.startswith(name) for other in names) + 1})")
    return names


def stability(logs: Floats, centres: Centres) -> float:
    """Return how far the centres of either half of the people agree on where everybody belongs: the adjusted Rand index."""
    from sklearn.metrics import adjusted_rand_score

    points = (logs - centres.mean) / centres.scale
    half = np.random.default_rng(SEED).permutation(len(points)) % 2
    one, other = (_nearest(points, k_means(points[half == side], len(centres.at))) for side in (0, 1))
    return float(adjusted_rand_score(one, other))


def stored(file: str) -> Centres:
    """Return the centres of an earlier result, written with ``--out FILE.json``.

    Raises
    ------
    stream.faults.UsageFault
        If the file has none.
    """
    try:
        rows = msgspec.json.decode(Path(file).read_bytes())["rows"]
        said = {(row["metric"], row["group"], row["figure"]): float(row["value"]) for row in rows if row["figure"] is not None}
        names = list(dict.fromkeys(row["group"] for row in rows if row["metric"] == "cluster_centre"))
        at = np.array([[said["cluster_centre", name, figure] for figure in FIGURES] for name in names])
        mean, scale = (np.array([said[metric, None, figure] for figure in FIGURES]) for metric in ("figure_mean", "figure_scale"))
    except (OSError, msgspec.DecodeError, KeyError, TypeError) as error:
        raise UsageFault(f"{file} holds no clusters: write them with churnwatch clusters --out FILE.json ({error})") from None
    return Centres(names, mean, scale, at)


def grouped(crowd: Crowd, asked: Clusters) -> tuple[pl.DataFrame, Centres]:
    """Return everybody with their figures and `group`, and the centres."""
    found = people_of(crowd, asked)
    logs = logs_of(found)
    centres = stored(asked.like) if asked.like else centres_of(logs)
    names = [centres.names[group] for group in centres.nearest(logs)] if centres.names else [None] * found.height
    return found.with_columns(pl.Series("group", names, pl.String)), centres


def run(crowd: Crowd, asked: Clusters) -> Result:
    """Return of each group how many people it has and the median of each figure; the centres; how stable they are."""
    found, centres = grouped(crowd, asked)
    if not centres.names:
        return CLUSTERS.result(
            crowd, asked, pl.DataFrame(schema={"metric": pl.String}), (Note("note.too_few_people", {"n": MOST_GROUPS + 1}),)
        )
    rows: list[dict[str, object]] = []
    sizes: dict[str, int] = {}
    for name in centres.names:
        here = found.filter(pl.col("group") == name)
        sizes[name] = here.height
        rows.append({"metric": "cluster_people", "group": name, "n": found.height, "value": float(here.height), OF_PEOPLE: here.height})
        rows += [
            {"metric": "figure_median", "group": name, "figure": figure, "n": here.height, "value": here[figure].median()}
            for figure in FIGURES
            if here.height
        ]
    for name, centre in zip(centres.names, centres.at, strict=True):
        rows += [
            {"metric": "cluster_centre", "group": name, "figure": figure, "value": float(at), OF_PEOPLE: sizes[name]}
            for figure, at in zip(FIGURES, centre, strict=True)
        ]
    for metric, values in (("figure_mean", centres.mean), ("figure_scale", centres.scale)):
        rows += [
            {"metric": metric, "figure": figure, "value": float(value), OF_PEOPLE: found.height}
            for figure, value in zip(FIGURES, values, strict=True)
        ]
    notes: tuple[Note, ...] = ()
    if asked.like is None:
        rand = stability(logs_of(found), centres)
        rows.append({"metric": "cluster_stability", "n": found.height, "value": rand})
        notes = (Note("note.unstable_clusters", {"rand": round(rand, 2)}),) if rand < STABLE else ()
    table = pl.DataFrame(rows, infer_schema_length=None).with_columns(state=pl.lit("complete"))
    return CLUSTERS.result(crowd, asked, table, notes)


def behind(crowd: Crowd, asked: Clusters, cell: Cell) -> pl.DataFrame:
    """Return the people of a group with their figures."""
    found, _ = grouped(crowd, asked)
    return found if cell.group is None else found.filter(pl.col("group") == cell.group)


CLUSTERS = Analysis(
    name="clusters",
    parameters=Clusters,
    run=run,
    metrics=(
        Metric("cluster_people", "people"),
        Metric("figure_median", "number"),
        Metric("cluster_centre", "number"),
        Metric("figure_mean", "number"),
        Metric("figure_scale", "number"),
        Metric("cluster_stability", "number"),
    ),
    columns=(Column("figure", "text", pl.String),),
    behind=behind,
    example=("clusters",),
)
