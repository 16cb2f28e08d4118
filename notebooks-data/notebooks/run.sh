#!/usr/bin/env bash
# Runs every notebook in a virtual environment of its own:
#   run.sh LAGOM [FOLDER-FOR-THE-VIRTUAL-ENVIRONMENT] [--write]
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
LAGOM=$(realpath "$1")
export LAGOM PIP_DISABLE_PIP_VERSION_CHECK=1 PYDEVD_DISABLE_FILE_VALIDATION=1
venv=${2:-$(mktemp -d)}
shift $(($# > 1 ? 2 : 1))
[ -x "$venv/bin/pip" ] || "${PYTHON:-python3}" -m venv "$venv"
"$venv/bin/pip" install -q -r "$here/requirements.txt"
# obp without what it asks for: torch is 2 GB and serves policies that are not used here.
"$venv/bin/pip" install -q --no-deps obp==0.4.1
"$venv/bin/python" "$here/run.py" "$@"
