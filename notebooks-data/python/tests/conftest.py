"""A real `lagom` process for the tests: `LAGOM` names the executable."""

from __future__ import annotations

import os
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from lagom_client import Client


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


class Server:
    """`lagom serve` in a folder of its own, on the clock of the events."""

    def __init__(self, folder: Path) -> None:
        self.target = f"127.0.0.1:{free_port()}"
        self.folder = folder
        self.config = folder / "lagom.toml"
        self.config.write_text(
            f'[server]\ngrpc = "{self.target}"\nhttp = "127.0.0.1:{free_port()}"\n'
            f'[store]\nurl = "file:{folder}/store.db"\n[models]\ndir = "{folder}/models"\n'
            '[clock]\nsource = "events"\n'
        )
        self.start()

    def start(self) -> None:
        self.process = subprocess.Popen(
            [os.environ["LAGOM"], "serve", "--config", str(self.config)],
            stdout=subprocess.DEVNULL,
            stderr=(self.folder / "server.log").open("ab"),
        )
        with Client(self.target) as client:
            client.wait_until_ready(60)

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait(30)

    def lagom(self, *args: str) -> str:
        return subprocess.run(
            [os.environ["LAGOM"], *args], check=True, capture_output=True, text=True
        ).stdout


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    running = Server(tmp_path_factory.mktemp("lagom"))
    yield running
    running.stop()


@pytest.fixture()
def client(server: Server) -> Iterator[Client]:
    with Client(server.target) as one:
        yield one
