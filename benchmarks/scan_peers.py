"""The trigger of `scan.py` as others write it: Python loops, pandas, polars.

A stretch begins at a value of `ON`, goes on while values are at least `OFF`, and counts when it lasted `HOLD_NS`; a NaN
ends it; what begins within `SILENT_NS` of the last one's end belongs to that. Each gives (onset, end, peak), in order.

Each library comes twice: the usual idiom, a state that is set, cleared and filled forward, whose runs are grouped; and
the shortcut, which drops all rows below `OFF` before anything else and so lives on events being rare. All but
`loop_by_definition` are spared what the data never needs: a pause ends a stretch, and none is longer than `LONGEST_NS`.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
import polars as pl

ON = 0.3 * 9.80665
OFF = ON * 0.83
HOLD_NS, SILENT_NS, GAP_NS, LONGEST_NS = 100_000_000, 2_000_000_000, 500_000_000, 20_000_000_000
Found = tuple[int, int, float]


def joined(held: list[Found]) -> list[Found]:
    """Stretches that follow another closely, as part of it: few, so a loop will do."""
    whole: list[Found] = []
    for start, end, peak in held:
        if whole and start - whole[-1][1] < SILENT_NS:
            whole[-1] = (whole[-1][0], end, max(whole[-1][2], peak))
        else:
            whole.append((start, end, peak))
    return whole


def loop_by_definition(t_ns: list[int], values: list[float]) -> list[Found]:
    """Every rule at every sample, each decision known at that sample: what `trigger.excursion` does, as a loop."""
    found: list[Found] = []
    inside = counts = False
    start = last = t_ns[0]
    peak = 0.0
    for t, value in zip(t_ns, values, strict=True):
        if inside and (t - last > GAP_NS or not value >= OFF):
            inside = False
        too_long = inside and counts and t - found[-1][0] > LONGEST_NS
        if too_long or (not inside and value >= ON):
            inside, counts, start, peak = True, False, t, value
        last = t
        if not inside:
            continue
        peak = max(peak, value)
        if not counts and t - start >= HOLD_NS:
            counts = True
            soon = bool(found) and start - found[-1][1] < SILENT_NS
            if not (soon and t - found[-1][0] <= LONGEST_NS):
                found.append((start, t, peak))
        if counts:
            found[-1] = (found[-1][0], t, max(found[-1][2], peak))
    return found


def loop_shortcut(t_ns: list[int], values: list[float]) -> list[Found]:
    """One comparison a sample while nothing happens."""
    held: list[Found] = []
    inside, start, end, peak = False, 0, 0, 0.0
    for t, value in zip(t_ns, values, strict=True):
        if inside:
            if value >= OFF:
                end, peak = t, max(peak, value)
                continue
            inside = False
            if end - start >= HOLD_NS:
                held.append((start, end, peak))
        elif value >= ON:
            inside, start, end, peak = True, t, t, value
    if inside and end - start >= HOLD_NS:
        held.append((start, end, peak))
    return joined(held)


def pandas_usual(frame: pd.DataFrame) -> list[Found]:
    value = frame["value"]
    state = pd.Series(np.nan, index=frame.index)
    state[value >= ON] = 1.0
    state[~(value >= OFF)] = 0.0
    inside = state.ffill() == 1.0
    run = (inside != inside.shift()).cumsum()
    runs = frame[inside].groupby(run[inside])
    return _of_pandas(runs.agg(start=("t_ns", "first"), end=("t_ns", "last"), peak=("value", "max")))


def pandas_shortcut(frame: pd.DataFrame) -> list[Found]:
    rows = frame[frame["value"] >= OFF]
    run = (rows.index.to_series().diff() > 1).cumsum()
    start = rows[rows["value"] >= ON].groupby(run)["t_ns"].first().rename("start")
    runs = rows.groupby(run).agg(end=("t_ns", "last"), peak=("value", "max"))
    return _of_pandas(runs.join(start, how="inner"))


def _of_pandas(runs: pd.DataFrame) -> list[Found]:
    held = runs[runs["end"] - runs["start"] >= HOLD_NS]
    return joined(list(zip(held["start"].tolist(), held["end"].tolist(), held["peak"].tolist(), strict=True)))


def polars_usual(frame: pl.DataFrame) -> list[Found]:
    value = pl.col("value").fill_nan(None)
    state = pl.when(value >= ON).then(True).when((value < OFF) | value.is_null()).then(False)
    inside = frame.lazy().with_columns(inside=state.forward_fill())
    return _of_polars(inside.with_columns(run=pl.col("inside").rle_id()).filter("inside"))


def polars_shortcut(frame: pl.DataFrame) -> list[Found]:
    rows = frame.lazy().with_row_index("row").filter(pl.col("value").fill_nan(None) >= OFF)
    return _of_polars(rows.with_columns(run=(pl.col("row").diff() != 1).fill_null(False).cum_sum()))


def _of_polars(rows: pl.LazyFrame) -> list[Found]:
    start = pl.col("t_ns").filter(pl.col("value") >= ON).first()
    runs = rows.group_by("run").agg(start=start, end=pl.col("t_ns").last(), peak=pl.col("value").max())
    held = runs.filter(pl.col("end") - pl.col("start") >= HOLD_NS).sort("start")
    return joined(held.select("start", "end", "peak").collect().rows())
