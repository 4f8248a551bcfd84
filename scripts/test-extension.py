#!/usr/bin/env python3
"""Runs the documented example of every function in a DuckDB of its own, from Python, with the extension loaded.

    python3 scripts/test-extension.py EXTENSION ESCCSQL

EXTENSION is what scripts/build-extension.sh made, with probes.duckdb_extension beside it. ESCCSQL is the program: it makes the
scans that the examples name, and each example must give the same rows there. Needs the package duckdb, 1.5.6 or later. Exit
status 0 only when every example gives its rows, and every mistake and every panic is an error in Python.
"""

import csv
import io
import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import duckdb

TABLES = Path(__file__).resolve().parent.parent / "tests/functions/tables.sql"
# What these give depends on the process.
OF_THE_PROCESS = {"esccsql_errors"}

MISTAKES = [
    ("SELECT c_index(-1, true, 1)", "c_index"),
    ("SELECT mask_volume('absent.nii.gz')", "no such file"),
    ("SELECT rsf_fit(1, true, {'a': 1}, {'treees': 4})", "treees"),
]
# Each callback through which DuckDB calls a function, made to fail.
PROBES = [
    "SELECT fail('{how}')",
    "SELECT fail(x) FROM (SELECT '{how}' AS x FROM range(10000))",
    "FROM count_to('{how}')",
    "SELECT fail_update(i, {{'how': '{how}'}}) FROM range(10) t(i)",
    "SELECT fail_update(i, {{'how': '{how}'}}) FROM range(500000) t(i) GROUP BY i % 3",
    "SELECT fail_merge(i, {{'how': '{how}'}}) FROM range(500000) t(i)",
    "SELECT fail_evaluate(i, {{'how': '{how}'}}) FROM range(10) t(i)",
    "SELECT fail_evaluate(i, {{'how': '{how}'}}) OVER (ORDER BY i) FROM range(10) t(i)",
]


def scans(esccsql: str) -> None:
    """A scan, its outline and a second reader's, under the names of the examples."""
    subprocess.run([esccsql, "synth", "--out", "cohort", "--patients", "16"], check=True, capture_output=True)
    with open("cohort/scans.csv", newline="") as file:
        first = next(csv.DictReader(file))
    for column, name in [("image", "scan"), ("mask_reader1", "gtv"), ("mask_reader2", "gtv_reader2")]:
        shutil.copy(Path("cohort") / first[column], f"{name}.nii.gz")


def weights(connection: duckdb.DuckDBPyConnection) -> None:
    """The file of weights that the examples name: what a model holds behind its header."""
    model = connection.execute("SELECT crossformer_init({'variant': 'micro', 'classes': 1000, 'seed': 1})::BLOB").fetchall()[0][0]
    # A safetensors file: the length of its header in eight bytes, the header as JSON, the numbers.
    starts = (at for at in range(len(model) - 10) if model[at + 8 : at + 10] == b'{"')
    start, length = next((at, n) for at in starts if (n := int.from_bytes(model[at : at + 8], "little")) in range(1000, len(model) - at))
    tensors = json.loads(model[start + 8 : start + 8 + length])
    end = start + 8 + length + max(tensor["data_offsets"][1] for name, tensor in tensors.items() if name != "__metadata__")
    Path("network.safetensors").write_bytes(model[start:end])


def in_the_program(esccsql: str, example: str) -> list:
    """The example's rows as the program gives them, as text, sorted."""
    command = [esccsql, "query", "--db", "program.duckdb", "--format", "csv", f"SELECT COLUMNS(*)::VARCHAR FROM ({example})"]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"the program fails: {example}\n{done.stderr}")
    return sorted(list(csv.reader(io.StringIO(done.stdout, newline="")))[1:])


def examples(connection: duckdb.DuckDBPyConnection, esccsql: str) -> tuple:
    functions = connection.sql("SELECT name, example FROM esccsql_functions() ORDER BY name").fetchall()
    failures = []
    for name, example in functions:
        try:
            found = connection.execute(f"SELECT COLUMNS(*)::VARCHAR FROM ({example})").fetchall()
        except duckdb.Error as error:
            failures.append(f"{name}: {error}")
            continue
        if name in OF_THE_PROCESS:
            continue
        if not found:
            failures.append(f"{name}: no rows")
        found = sorted([value or "" for value in row] for row in found)
        if found != in_the_program(esccsql, example):
            failures.append(f"{name}: not the program's rows")
    return len(functions), failures


def mistakes(connection: duckdb.DuckDBPyConnection, probes: bool) -> tuple:
    """Queries that must fail with a part of a message, and leave the connection alive."""
    asked = MISTAKES
    if probes:
        said = {"error": "asked to fail", "panic": "esccsql bug: panic: asked to panic"}
        asked = [(probe.format(how=how), text) for probe in PROBES for how, text in said.items()]
    failures = []
    for sql, text in asked:
        try:
            connection.execute(sql).fetchall()
            failures.append(f"{sql}: no error")
        except duckdb.Error as error:
            if text not in str(error):
                failures.append(f"{sql}: {error}")
        if connection.execute("SELECT 1 + 1").fetchall() != [(2,)]:
            failures.append(f"{sql}: the connection is lost")
    return len(asked), failures


def closed_files(connection: duckdb.DuckDBPyConnection) -> list:
    connection.execute("SET enable_external_access = false")
    try:
        connection.execute("SELECT mask_volume('gtv.nii.gz')").fetchall()
        return ["a file was opened although external access is off"]
    except duckdb.Error as error:
        return [] if "file access is off" in str(error) else [f"external access off: {error}"]


def freed() -> list:
    """The file is free again for another process."""
    another = "import duckdb; duckdb.connect('study.duckdb').execute('CREATE TABLE freed AS SELECT 1')"
    done = subprocess.run([sys.executable, "-c", another], capture_output=True, text=True)
    return [f"after close: {done.stderr.strip()}"] if done.returncode else []


def main() -> int:
    extension, esccsql = (os.path.abspath(path) for path in sys.argv[1:3])
    probes = os.path.join(os.path.dirname(extension), "probes.duckdb_extension")
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        scans(esccsql)
        subprocess.run([esccsql, "query", "--db", "program.duckdb", "-"], input=TABLES.read_bytes(), check=True, capture_output=True)
        connection = duckdb.connect("study.duckdb", config={"allow_unsigned_extensions": True})
        connection.load_extension(extension)
        connection.execute(TABLES.read_text())
        weights(connection)
        functions, failures = examples(connection, esccsql)
        refused, wrong = mistakes(connection, probes=False)
        connection.load_extension(probes)
        panics, silent = mistakes(connection, probes=True)
        failures += wrong + silent + closed_files(connection)
        connection.close()
        failures += freed()
        os.chdir("/")
    for failure in failures:
        print(f"FAILED  {failure}")
    print(
        f"duckdb {duckdb.__version__}: examples of {functions} functions, with the program's rows; {refused} mistakes and "
        f"{panics} errors and panics told; {len(failures)} failures"
    )
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
