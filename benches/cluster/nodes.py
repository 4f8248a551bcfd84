"""A scheduler and one executor on this machine, each a process of the program."""

import os
import socket
import subprocess
import time
from pathlib import Path


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def wait_for(port: int) -> None:
    for _ in range(400):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise SystemExit(f"nothing listens at {port}")


class Cluster:
    def __init__(self, program: str, folder: Path):
        self.port, data, control = free_port(), free_port(), free_port()
        self.work = folder / "work"
        log = {"stdout": subprocess.DEVNULL, "stderr": (folder / "log").open("w")}
        self.scheduler = subprocess.Popen([program, "cluster", "scheduler", "--port", str(self.port)], **log)
        wait_for(self.port)
        ports = ["--port", str(data), "--control-port", str(control)]
        self.executor = subprocess.Popen(
            [program, "cluster", "executor", "--scheduler", self.url, "--work", self.work, "--cores", str(os.cpu_count()), *ports], **log
        )
        wait_for(data)

    @property
    def url(self) -> str:
        return f"df://localhost:{self.port}"

    def stop(self) -> None:
        for process in (self.executor, self.scheduler):
            process.kill()
            process.wait()
