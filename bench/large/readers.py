"""How DuckDB and Polars read the first edges of a large Parquet table: row groups read, and seconds.

    python bench/large/readers.py EDGES.parquet

Seconds are the least of three, with the file in the system's cache. DuckDB's profiling counts the row groups that it
scanned; Polars reports them in verbose mode.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Callable

import duckdb
import pyarrow.parquet as pq

SQL = {
    "order by corr desc limit 100": "select * from edges order by corr desc limit 100",
    "corr > {corr}": "select * from edges where corr > {corr}",
    "q_value < 1e-6": "select * from edges where q_value < 1e-6",
    "corr > {corr} and p_value < 1e-12": "select * from edges where corr > {corr} and p_value < 1e-12",
    "dst_idx = 17 and q_value < 0.05": "select * from edges where dst_idx = 17 and q_value < 0.05",
}
POLARS = {
    "order by corr desc limit 100": "edges.sort('corr', descending=True, nulls_last=True).head(100)",
    "corr > {corr}": "edges.filter(pl.col('corr') > {corr})",
    "q_value < 1e-6": "edges.filter(pl.col('q_value') < 1e-6)",
    "corr > {corr} and p_value < 1e-12": "edges.filter((pl.col('corr') > {corr}) & (pl.col('p_value') < 1e-12))",
    "dst_idx = 17 and q_value < 0.05": "edges.filter((pl.col('dst_idx') == 17) & (pl.col('q_value') < 0.05))",
}


def seconds(work: Callable[[], object]) -> float:
    times = []
    for _ in range(3):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return round(min(times), 2)


def main(path: str) -> None:
    file = pq.ParquetFile(path)
    rows, groups = file.metadata.num_rows, file.metadata.num_row_groups
    print(f"{path}: {rows} rows, {groups} row groups, {os.path.getsize(path)} bytes")
    corr = file.read_row_group(0, columns=["corr"])["corr"][2000].as_py()
    for name, sql in SQL.items():
        query = sql.format(corr=corr)
        connection = duckdb.connect()
        connection.execute(f"create view edges as select * from read_parquet('{path}')")
        rows = len(connection.execute(query).fetchall())
        took = seconds(lambda query=query, connection=connection: connection.execute(query).fetchall())
        plan = connection.execute(f"explain analyze {query}").fetchall()[0][1]
        scanned = re.findall(r"[Rr]ow [Gg]roups[^│\n]*|Total Files Read[^│\n]*", plan)
        print(
            json.dumps(
                {
                    "duckdb": name.format(corr=round(corr, 4)),
                    "rows": rows,
                    "seconds": took,
                    "plan": scanned,
                }
            )
        )
        code = (
            "import polars as pl, time\n"
            f"edges = pl.scan_parquet({path!r})\nstart = time.perf_counter()\n"
            f"n = {POLARS[name].format(corr=corr)}.collect(engine='streaming').height\n"
            "print(n, round(time.perf_counter() - start, 2))"
        )
        verbose = {**os.environ, "POLARS_VERBOSE": "1"}
        done = subprocess.run(
            [sys.executable, "-c", code],
            capture_output=True,
            text=True,
            env=verbose,
            check=True,
        )
        told = [line for line in done.stderr.splitlines() if "row group" in line.lower()]
        print(
            json.dumps(
                {
                    "polars": name.format(corr=round(corr, 4)),
                    "rows, seconds": done.stdout.split(),
                    "told": told[-4:],
                }
            )
        )


if __name__ == "__main__":
    main(sys.argv[1])
