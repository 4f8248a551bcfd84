#!/usr/bin/env python3
"""Runs the documented example of every function in a DuckDB of its own, from Python, with the extension loaded.

    python3 scripts/test-extension.py EXTENSION ESCCSQL

EXTENSION is what scripts/build-extension.sh made, ESCCSQL the program (it makes the scans that the examples name). Needs the
package duckdb, 1.5.6 or later. Exit status 0 only when every example gives rows and every mistake is an error in Python.
"""

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import duckdb

TABLES = Path(__file__).resolve().parent.parent / "tests/functions/tables.sql"


def scans(esccsql: str, folder: Path) -> None:
    """A small scan, its outline and a second reader's, under the names of the examples."""
    subprocess.run([esccsql, "synth", "--out", folder / "cohort", "--patients", "16", "--size", "small"], check=True, capture_output=True)
    images = sorted((folder / "cohort").rglob("*.nii.gz"))
    scan = next(path for path in images if "reader" not in str(path) and "mask" not in str(path))
    outlines = [path for path in images if path != scan and path.name.split("_")[0] == scan.name.split("_")[0]]
    first, second = [path for path in outlines if "pre" in str(path)][:2]
    for source, name in [(scan, "scan"), (first, "gtv"), (second, "gtv_reader2")]:
        shutil.copy(source, folder / f"{name}.nii.gz")


def main() -> int:
    extension, esccsql = (os.path.abspath(path) for path in sys.argv[1:3])
    with tempfile.TemporaryDirectory() as folder:
        scans(esccsql, Path(folder))
        os.chdir(folder)
        connection = duckdb.connect("study.duckdb", config={"allow_unsigned_extensions": True})
        connection.load_extension(extension)
        connection.execute(TABLES.read_text())
        failures = []
        functions = connection.sql("SELECT name, example FROM esccsql_functions() ORDER BY name").fetchall()
        for name, example in functions:
            try:
                if not connection.execute(example).fetchall() and name != "esccsql_errors":
                    failures.append(f"{name}: no rows")
            except duckdb.Error as error:
                failures.append(f"{name}: {error}")
        for mistake in ["SELECT c_index(-1, true, 1)", "SELECT mask_volume('absent.nii.gz')", "SELECT rsf_fit(1, true, {'a': 1}, {'treees': 4})"]:
            try:
                connection.execute(mistake).fetchall()
                failures.append(f"{mistake}: no error")
            except duckdb.Error:
                pass
        connection.execute("SET enable_external_access = false")
        try:
            connection.execute("SELECT mask_volume('gtv.nii.gz')").fetchall()
            failures.append("a file was opened although external access is off")
        except duckdb.Error as error:
            if "file access is off" not in str(error):
                failures.append(f"external access off: {error}")
        connection.close()
        # The file is free again for another process.
        another = "import duckdb; duckdb.connect('study.duckdb').execute('CREATE TABLE freed AS SELECT 1')"
        freed = subprocess.run([sys.executable, "-c", another], capture_output=True, text=True)
        if freed.returncode:
            failures.append(f"after close: {freed.stderr.strip()}")
    for failure in failures:
        print(f"FAILED  {failure}")
    print(f"duckdb {duckdb.__version__}: {len(functions)} functions, {len(failures)} failures")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
