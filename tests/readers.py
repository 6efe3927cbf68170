#!/usr/bin/env python3
"""Reads the cache with DuckDB, pandas and polars, by the very lines of the README.

usage: python tests/readers.py path/to/flowlab

Makes a small synthetic cache in a temporary folder, runs there every `$ python -c` line of README.md and
compares what it prints with what `flowlab data ls` and `flowlab data export` say. Needs the packages duckdb,
pandas, pyarrow and polars:

    python -m venv venv && venv/bin/pip install duckdb pandas pyarrow polars
    venv/bin/python tests/readers.py target/release/flowlab
"""

import csv
import io
import json
import re
import subprocess
import sys
import tempfile
from pathlib import Path

README = Path(__file__).resolve().parent.parent / "README.md"
ONE_LINER = re.compile(r"^\$ (python -c .+)$", re.MULTILINE)
MONTHLY = re.compile(r"data/flow/([A-Z.]+)/(\d{4})-(\d{2})\.parquet")


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    binary = Path(sys.argv[1]).resolve()
    lines = ONE_LINER.findall(README.read_text())
    named = MONTHLY.search("\n".join(lines))
    if not named:
        sys.exit(f"{README} has no line that reads a month of flow")
    ticker, year, month = named.groups()
    with tempfile.TemporaryDirectory() as folder:
        market = Market(binary, Path(folder), ticker, f"{year}-{month}")
        readers = {"duckdb": market.check_duckdb, "pandas": market.check_frame, "polars": market.check_frame}
        for line in lines:
            name = next((name for name in readers if f"import {name}" in line), None)
            if name is None:
                sys.exit(f"nobody knows what this line should print: {line}")
            printed = market.run_line(line)
            readers.pop(name)(printed)
            print(f"{name} reads {market.rows} rows: {line}")
        if readers:
            sys.exit(f"the README has no line for {', '.join(readers)}")


class Market:
    """A cache whose flow lies in one month, so that all lines read the same rows."""

    def __init__(self, binary, folder, ticker, month):
        self.binary, self.folder, self.ticker = binary, folder, ticker
        # Four sessions of flow come before the start, and all of it stays within the month.
        self.flowlab(
            "fetch", "--provider", "synthetic", "--data-dir", "data", "--tickers", f"{ticker},SPY",
            "--start", f"{month}-10", "--sessions", "8", "--events-per-day", "100",
        )
        listing = json.loads(self.flowlab("data", "ls", "--format", "json"))[0]["rows"]
        self.listed = {row["ticker"]: row["rows"] for row in listing if row["table"] == "flow"}
        self.rows = self.listed[ticker]
        export = self.flowlab("data", "export", "--table", "flow", "--tickers", ticker, "--quiet")
        self.columns = len(next(csv.reader(io.StringIO(export))))

    def flowlab(self, *arguments):
        done = subprocess.run(
            [self.binary, *arguments], cwd=self.folder, check=True, capture_output=True, text=True
        )
        return done.stdout

    def run_line(self, line):
        """Runs a line as a shell would, with this Python for `python`."""
        shell = f'python() {{ "{sys.executable}" "$@"; }}; {line}'
        done = subprocess.run(["bash", "-c", shell], cwd=self.folder, capture_output=True, text=True)
        if done.returncode != 0:
            sys.exit(f"{line}\n{done.stderr}")
        return done.stdout

    def check_duckdb(self, printed):
        """A box with a row per ticker: │ AAPL │ 1234 │."""
        counts = {name: int(n) for name, n in re.findall(r"│\s*([A-Z.]+)\s*│\s*(\d+)\s*│", printed)}
        expect(counts, self.listed, printed)

    def check_frame(self, printed):
        """`[1234 rows x 33 columns]`, or `shape: (1_234, 33)`."""
        shape = re.search(r"\[(\d+) rows x (\d+) columns\]|shape: \(([\d_]+), (\d+)\)", printed)
        got = tuple(int(n) for n in shape.groups() if n) if shape else None
        expect(got, (self.rows, self.columns), printed)


def expect(got, expected, printed):
    if got != expected:
        sys.exit(f"got {got}, expected {expected}, from\n{printed}")


if __name__ == "__main__":
    main()
