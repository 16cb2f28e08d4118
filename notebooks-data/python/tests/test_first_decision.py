"""The script by which the README leads from nothing to the first decision."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from conftest import free_port

from lagom_client import Client

SCRIPT = Path(__file__).parent.parent / "first_decision.py"


def test_from_nothing_to_the_first_decision(tmp_path: Path) -> None:
    """A server without a configuration file, in an empty folder, on the wall clock."""
    target = f"127.0.0.1:{free_port()}"
    settings = {
        "LAGOM__SERVER__GRPC": target,
        "LAGOM__SERVER__HTTP": f"127.0.0.1:{free_port()}",
    }
    server = subprocess.Popen(
        [os.environ["LAGOM"], "serve"],
        cwd=tmp_path,
        env={**os.environ, **settings},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        with Client(target) as client:
            client.wait_until_ready(60)
        script = [sys.executable, str(SCRIPT)]
        env = {**os.environ, "LAGOM_TARGET": target}
        first = subprocess.run(script, env=env, check=True, capture_output=True, text=True).stdout
        assert "with probability" in first
        assert "after the payment: wait" in first
    finally:
        server.terminate()
        server.wait(30)
