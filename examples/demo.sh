#!/bin/sh
# Called by `make demo`: makes sure that the machine has what the demo needs, then hands over to demo.py.
# Everything it writes lies in .demo/; running it again, or interrupting it, is safe.
set -eu
cd "$(dirname "$0")/.."
started=$(date +%s)

need() { # what is missing, how to get it
    echo "demo: $1" >&2
    echo "      $2" >&2
    exit 1
}

[ "$(uname -s)" = Linux ] || need "ansord runs on Linux; this is $(uname -s)" "try it in a Linux container or virtual machine"

python=
for one in "${PYTHON:-python3}" python3 python3.13 python3.12 python3.11; do
    if "$one" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
        python=$one
        break
    fi
done
[ -n "$python" ] || need "Python 3.11 or newer is needed; python3 is $(python3 -V 2>&1 || echo absent)" \
    "install python3.11 or newer, or say: make demo PYTHON=/path/to/python3.12"
"$python" -c 'import venv, ensurepip' 2>/dev/null || need "this Python has no venv module" \
    "apt install python3-venv (Debian, Ubuntu), or use another Python: make demo PYTHON=..."
command -v gcc >/dev/null 2>&1 || command -v clang >/dev/null 2>&1 || need "no C compiler: neither gcc nor clang" \
    "apt install gcc (Debian, Ubuntu), dnf install gcc (Fedora)"

mkdir -p .demo
if [ ! -f .demo/venv/.ready ] || [ pyproject.toml -nt .demo/venv/.ready ] || [ client/pyproject.toml -nt .demo/venv/.ready ]; then
    echo "making a virtual environment in .demo/venv (once, about half a minute)"
    "$python" -m venv --clear .demo/venv
    .demo/venv/bin/python -m pip install -qq --disable-pip-version-check -e ./client -e . || need \
        "pip could not install the dependencies" "is there a network, or a package index configured? Its words are above"
    touch .demo/venv/.ready
fi
exec .demo/venv/bin/python examples/demo.py --started "$started"
