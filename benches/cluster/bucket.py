#!/usr/bin/env python3
"""A cluster whose images, tables and models are in an S3-compatible object store gives the rows that the program gives alone.

    pip install 'moto[server,s3]' boto3
    python3 benches/cluster/bucket.py ESCCSQL

ESCCSQL is a program built with the feature s3. The store is moto's server on this machine: requests are signed, and listings,
ranges and deletions are answered as AWS documents them. Exit status 0 only when the rows are the same and the share is empty again.
"""

import csv
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from nodes import Cluster, free_port, wait_for

QUERY = """
SELECT scan_id, mask_volume(mask) AS volume, crossformer_embed(network, image, mask) AS embedding,
    radiomics(image(image).image_window(50, 350), mask(mask), {'image_types': ['original']}) AS features
FROM scans, networks"""


def tables(where: str, folder: Path) -> str:
    return f"""
        CREATE TABLE scans AS SELECT scan_id, '{where}/' || image AS image, '{where}/' || mask_reader1 AS mask
        FROM read_csv('{folder}/cohort/scans.csv');
        CREATE TABLE networks AS SELECT crossformer_init({{'variant': 'micro', 'size': 64, 'seed': 1}}) AS network;"""


def rows(program: str, folder: Path, where: str, *cluster: str) -> list:
    sql = f"{tables(where, folder)} CREATE TABLE found AS {QUERY}; SELECT COLUMNS(*)::VARCHAR FROM found ORDER BY 1"
    database = folder / f"{len(cluster)}.duckdb"
    done = subprocess.run([program, "query", "--db", database, "--format", "csv", *cluster, "-"], input=sql, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(done.stderr)
    return [row for row in csv.reader(done.stdout.splitlines()) if len(row) == 4]


def main() -> None:
    program, port = os.path.abspath(sys.argv[1]), free_port()
    url = f"http://127.0.0.1:{port}"
    os.environ |= {"AWS_ENDPOINT": url, "AWS_ALLOW_HTTP": "true", "AWS_REGION": "us-east-1"}
    os.environ |= {"AWS_ACCESS_KEY_ID": "testing", "AWS_SECRET_ACCESS_KEY": "testing"}
    import boto3

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        subprocess.run([program, "synth", "--out", folder / "cohort", "--patients", "16", "--size", "small"], check=True, capture_output=True)
        server = subprocess.Popen([sys.executable, "-m", "moto.server", "-p", str(port)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        cluster = None
        try:
            wait_for(port)
            bucket = boto3.resource("s3", endpoint_url=url).create_bucket(Bucket="study")
            for file in (folder / "cohort").rglob("*.nii.gz"):
                bucket.upload_file(str(file), f"scans/{file.relative_to(folder / 'cohort')}")
            kept = {item.key for item in bucket.objects.all()}
            cluster = Cluster(program, folder)
            found = rows(program, folder, "s3://study/scans", "--cluster", cluster.url, "--share", "s3://study/share")
            left = {item.key for item in bucket.objects.all()} - kept
        finally:
            if cluster:
                cluster.stop()
            server.kill()
            server.wait()
        expected = rows(program, folder, f"{folder}/cohort")
    same = found == expected and len(found) == 33
    print(f"{len(found) - 1} scans and a model through s3://study: {'the same rows' if same else 'OTHER ROWS'}; {len(left)} objects left in the share")
    raise SystemExit(0 if same and not left else 1)


if __name__ == "__main__":
    main()
