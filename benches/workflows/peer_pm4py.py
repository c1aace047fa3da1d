"""The figures of `workflow analyze`, by PM4Py with the importer named. Prints one line of JSON.

Where PM4Py has the figure, PM4Py works it out; what it has not (percentiles of sojourns) is a group-by of the data frame
that it imports into, which is how its users get it.
"""

import json
import resource
import sys
import warnings

warnings.filterwarnings("ignore")

import pandas
import pm4py
from pm4py.algo.discovery.dfg.adapters.pandas import df_statistics

path, importer = sys.argv[1], sys.argv[2]
if importer == "pyarrow":
    import pyarrow.csv  # noqa: F401
if importer == "rustxes":
    import rustxes  # noqa: F401

loaded = resource.getrusage(resource.RUSAGE_SELF)
CASE, ACTIVITY, START, TIME = "case:concept:name", "concept:name", "start_timestamp", "time:timestamp"
if importer in ("rustxes", "iterparse"):
    df = pm4py.read_xes(path, variant=importer)
    df[START] = df[TIME]
else:
    engine = {} if importer == "c" else {"engine": "pyarrow"}
    df = pandas.read_csv(path, usecols=[CASE, ACTIVITY, START, TIME], **engine)
    for column in (START, TIME):
        df[column] = pandas.to_datetime(df[column], format="%Y-%m-%d %H:%M:%S")
    df = df.sort_values([CASE, TIME], kind="stable", ignore_index=True)


def spread(s):
    if s.empty:
        return {"mean_s": None, "median_s": None, "p95_s": None}
    q = s.quantile([0.5, 0.95])
    return {"mean_s": float(s.mean()), "median_s": float(q.iloc[0]), "p95_s": float(q.iloc[1])}


by_case = df.groupby(CASE, sort=False)
before = by_case[TIME].shift()
starts = importer not in ("rustxes", "iterparse")
enabled = before.where(before < df[START], df[START]) if starts else before
sojourn = (df[TIME] - enabled).dt.total_seconds()
per_activity = sojourn.groupby(df[ACTIVITY])
means = per_activity.mean()
quantiles = per_activity.quantile([0.5, 0.95]).unstack()
counts = df[ACTIVITY].value_counts()
rework = pm4py.get_rework_cases_per_activity(df)
duration = (by_case[TIME].max() - by_case[START].min()).dt.total_seconds()
frequency, performance = df_statistics.get_dfg_graph(
    df[[CASE, ACTIVITY, TIME]], measure="both", sort_timestamp_along_case_id=False, perf_aggregation_key="mean"
)
variants = len(pm4py.get_variants(df))
done = resource.getrusage(resource.RUSAGE_SELF)


def number(x):
    return None if pandas.isna(x) else float(x)


print(
    json.dumps(
        {
            "engine": "pm4py " + pm4py.__version__ + " (" + importer + ")",
            "loading_cpu_s": loaded.ru_utime + loaded.ru_stime,
            "cpu_s": done.ru_utime + done.ru_stime - loaded.ru_utime - loaded.ru_stime,
            "cases": int(by_case.ngroups),
            "events": len(df),
            "variants": variants,
            "case_duration": spread(duration),
            "activities": [
                {
                    "name": a,
                    "count": int(n),
                    "sojourn": {
                        "mean_s": number(means[a]),
                        "median_s": number(quantiles.loc[a, 0.5]),
                        "p95_s": number(quantiles.loc[a, 0.95]),
                    },
                    "rework_cases": int(rework.get(a, 0)),
                }
                for a, n in counts.items()
            ],
            "edges": [
                {"from": f, "to": t, "count": int(n), "mean_s": float(performance[(f, t)])}
                for (f, t), n in frequency.items()
            ],
        }
    )
)
