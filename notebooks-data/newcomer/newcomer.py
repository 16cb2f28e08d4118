"""A newcomer with nothing but the README: from nothing to the first decision over gRPC from Python.

    newcomer.py LAGOM [FOLDER-FOR-A-VIRTUAL-ENVIRONMENT]

Reads the README as a person would, from its first line to the end of the block that makes the first
decision, and types and runs that block as it stands there, in a folder of its own. Only the build is
left out: LAGOM is what it makes. The sum of reading, typing and running must be under ten minutes for
whoever reads all of that, and under five for a billing engineer, who reads the opening and the part on
billing backends.
"""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
import tempfile
import time
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text()

WORDS_A_MINUTE = 200  # reading
KEYS_A_MINUTE = 200  # typing, 40 words a minute
LAST = "first_decision.py"


def end_of(text: str, marker: str) -> int:
    """The end of the fenced block in which `marker` stands."""
    at = text.index(marker)
    return text.index("```", at) + 3


def words(text: str) -> int:
    return len(re.findall(r"[\w.'/:-]*\w[\w.'/:-]*", text))


def commands(block: str) -> list[str]:
    lines = (line.split(" #")[0].strip() for line in block.splitlines())
    return [line for line in lines if line and not line.startswith(("```", "#"))]


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


def run(script: list[str], lagom: Path, environment: Path) -> tuple[float, str]:
    """Runs the lines in one shell, in a folder that looks like the checkout, and says how long it took."""
    target = f"127.0.0.1:{free_port()}"
    settings = {
        "PATH": f"{environment / 'bin'}:{lagom.parent}:{os.environ['PATH']}",
        # The ports of this machine may be taken; whoever follows the README uses those of the defaults.
        "LAGOM__SERVER__GRPC": target,
        "LAGOM__SERVER__HTTP": f"127.0.0.1:{free_port()}",
        "LAGOM_TARGET": target,
        "PIP_DISABLE_PIP_VERSION_CHECK": "1",
    }
    with tempfile.TemporaryDirectory() as folder:
        for entry in ROOT.iterdir():
            if not entry.name.startswith(".") and entry.name != "target":
                (Path(folder) / entry.name).symlink_to(entry)
        shell = "set -euo pipefail\ntrap 'kill $(jobs -p) 2>/dev/null' EXIT\n" + "\n".join(script)
        start = time.monotonic()
        done = subprocess.run(
            ["bash", "-c", shell],
            cwd=folder,
            env={**os.environ, **settings},
            capture_output=True,
            text=True,
            timeout=900,
        )
        seconds = time.monotonic() - start
    if done.returncode != 0:
        sys.exit(f"the README's commands fail:\n{done.stdout}\n{done.stderr}")
    return seconds, done.stdout


def main() -> None:
    lagom = Path(sys.argv[1]).resolve()
    environment = Path(sys.argv[2]) if len(sys.argv) > 2 else Path(tempfile.mkdtemp())
    if not (environment / "bin" / "pip").exists():
        venv.create(environment, with_pip=True)

    end = end_of(README, LAST)
    block = README[README.rindex("```sh", 0, end) : end]
    lines = commands(block)
    # The build and the way to it: LAGOM stands for both.
    script = [line for line in lines if not line.startswith(("cargo build", "export PATH"))]
    if len(script) == len(lines) or not any(LAST in line for line in script):
        sys.exit(f"the README no longer builds and then makes the first decision:\n{block}")

    seconds, said = run(script, lagom, environment)
    if "with probability" not in said or "after the payment" not in said:
        sys.exit(f"there was no decision:\n{said}")
    print(said.strip())

    typed = sum(len(line) + 1 for line in lines)
    opening = README[: README.index("```")]
    billing = README[README.index("**A billing backend**") : end]
    slow = []
    for who, text, limit in [
        ("a newcomer, who reads from the first line on", README[:end], 10),
        ("a billing engineer, who reads the opening and the part on backends", opening + billing, 5),
    ]:
        reading, typing, running = words(text) / WORDS_A_MINUTE, typed / KEYS_A_MINUTE, seconds / 60
        total = reading + typing + running
        print(
            f"{who}: {total:.1f} minutes of {limit}: reading {reading:.1f} ({words(text)} words), "
            f"typing {typing:.1f} ({typed} keys), running {running:.1f}"
        )
        if total >= limit:
            slow.append(who)
    if slow:
        sys.exit(f"too slow: {'; '.join(slow)}")


main()
