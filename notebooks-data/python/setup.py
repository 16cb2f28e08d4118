"""Builds `lagom_client.v1` from the proto files of the checkout: a descriptor set, from which the
messages are made when they are imported, and a stub, from which editors and type checkers read
them. Nothing generated is committed, and nothing generated is tied to a version of protobuf."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py
from setuptools.command.sdist import sdist

sys.path.insert(0, str(Path(__file__).parent))
from stubs import stub  # noqa: E402

HERE = Path(__file__).resolve().parent
# In a source distribution the proto files lie beside this file.
PROTO = next(
    (folder for folder in (HERE / "proto", HERE.parents[1] / "proto") if folder.is_dir()), None
)


def compile_protos(out: Path) -> None:
    """Writes `lagom.binpb` and `__init__.pyi` into `out`."""
    if PROTO is None:
        raise SystemExit("lagom-client: no proto files; install from a checkout of lagom")
    files = sorted(PROTO.glob("lagom/v1/*.proto"))
    out.mkdir(parents=True, exist_ok=True)
    described = out / "commented.binpb"
    import grpc_tools

    well_known = Path(grpc_tools.__file__).parent / "_proto"
    command = [sys.executable, "-m", "grpc_tools.protoc", f"-I{PROTO}", f"-I{well_known}"]
    names = [str(file.relative_to(PROTO)) for file in files]
    subprocess.run(
        [*command, "--include_source_info", f"--descriptor_set_out={described}", *names], check=True
    )
    (out / "__init__.pyi").write_text(stub(described.read_bytes()), encoding="utf-8")
    described.unlink()
    subprocess.run([*command, f"--descriptor_set_out={out / 'lagom.binpb'}", *names], check=True)


class BuildWithProtos(build_py):
    """`build_py`, and what is made of the proto files."""

    def run(self) -> None:
        super().run()
        target = HERE / "src" if self.editable_mode else Path(self.build_lib)
        compile_protos(target / "lagom_client" / "v1")


class SdistWithProtos(sdist):
    """`sdist`, with the proto files in it."""

    def make_release_tree(self, base_dir: str, files: list[str]) -> None:
        super().make_release_tree(base_dir, files)
        if PROTO is not None:
            for file in PROTO.glob("lagom/v1/*.proto"):
                target = Path(base_dir) / "proto" / file.relative_to(PROTO)
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(file.read_bytes())
        (Path(base_dir) / "stubs.py").write_bytes((HERE / "stubs.py").read_bytes())


setup(cmdclass={"build_py": BuildWithProtos, "sdist": SdistWithProtos})
