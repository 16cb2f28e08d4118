#!/usr/bin/env bash
# Tests the client package against a `lagom` executable under several major versions of protobuf:
#   test.sh LAGOM [FOLDER-FOR-VIRTUAL-ENVIRONMENTS]
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
LAGOM=$(realpath "$1")
export LAGOM PIP_DISABLE_PIP_VERSION_CHECK=1
venvs=${2:-$(mktemp -d)}
python=${PYTHON:-python3}

for major in 5 6 7; do
  venv=$venvs/protobuf-$major
  [ -x "$venv/bin/pip" ] || "$python" -m venv "$venv"
  "$venv/bin/pip" install -q "protobuf==$major.*" "$here[test]"
  "$venv/bin/python" -c 'import google.protobuf as p, grpc; print(f"protobuf {p.__version__}, grpc {grpc.__version__}")'
  "$venv/bin/python" -m pytest --tb=short -p no:cacheprovider "$here"
done

# The hints are what editors and type checkers see: hold the package to them.
"$venvs/protobuf-7/bin/pip" install -q mypy types-protobuf types-grpcio
cd "$here" && "$venvs/protobuf-7/bin/python" -m mypy --cache-dir="$venvs/mypy" -p lagom_client
