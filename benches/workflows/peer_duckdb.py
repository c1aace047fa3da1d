"""The figures of `workflow analyze`, by DuckDB on one thread. Prints one line of JSON."""

import json
import resource
import sys

import duckdb

loaded = resource.getrusage(resource.RUSAGE_SELF)
con = duckdb.connect(config={"threads": 1, "autoinstall_known_extensions": False})
con.execute(
    """
    CREATE TEMP TABLE e AS
    SELECT "case:concept:name" AS c, "concept:name" AS a,
           epoch_ms(start_timestamp) AS s, epoch_ms("time:timestamp") AS t
    FROM read_csv(?, header = true, columns = {'case:concept:name': 'VARCHAR', 'concept:name': 'VARCHAR',
        'org:resource': 'VARCHAR', 'start_timestamp': 'TIMESTAMP', 'time:timestamp': 'TIMESTAMP'})
    """,
    [sys.argv[1]],
)
con.execute(
    """
    CREATE TEMP TABLE o AS
    SELECT c, a, s, t, lag(a) OVER w AS pa, lag(t) OVER w AS pt FROM e WINDOW w AS (PARTITION BY c ORDER BY t)
    """
)


def spread(values):
    return dict(zip(("mean_s", "median_s", "p95_s"), (None if v is None else v / 1000 for v in values)))


SPREAD = "avg({0}), quantile_cont({0}, 0.5), quantile_cont({0}, 0.95)"
events, cases = con.execute("SELECT count(*), count(DISTINCT c) FROM e").fetchone()
variants = con.execute(
    "SELECT count(DISTINCT v) FROM (SELECT string_agg(a, chr(31) ORDER BY t) AS v FROM e GROUP BY c)"
).fetchone()[0]
duration = con.execute(
    "SELECT " + SPREAD.format("d") + " FROM (SELECT max(t) - min(s) AS d FROM e GROUP BY c)"
).fetchone()
sojourn = "t - least(coalesce(pt, s), s)"
activities = con.execute(
    "SELECT a, count(*), " + SPREAD.format(sojourn) + " FROM o GROUP BY a"
).fetchall()
rework = dict(
    con.execute(
        "SELECT a, count(*) FROM (SELECT c, a FROM e GROUP BY c, a HAVING count(*) > 1) GROUP BY a"
    ).fetchall()
)
edges = con.execute(
    "SELECT pa, a, count(*), avg(t - pt) FROM o WHERE pa IS NOT NULL GROUP BY pa, a"
).fetchall()
done = resource.getrusage(resource.RUSAGE_SELF)
print(
    json.dumps(
        {
            "engine": "duckdb " + duckdb.__version__,
            "loading_cpu_s": loaded.ru_utime + loaded.ru_stime,
            "cpu_s": done.ru_utime + done.ru_stime - loaded.ru_utime - loaded.ru_stime,
            "cases": cases,
            "events": events,
            "variants": variants,
            "case_duration": spread(duration),
            "activities": [
                {"name": a, "count": n, "sojourn": spread(s), "rework_cases": rework.get(a, 0)}
                for a, n, *s in activities
            ],
            "edges": [{"from": f, "to": t, "count": n, "mean_s": m / 1000} for f, t, n, m in edges],
        }
    )
)
