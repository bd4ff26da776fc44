#!/bin/sh
# The virtual environment with everything that requirements/dev.txt pins, and both packages of this repository.
set -eu

python=${BASE_PYTHON:-python3}
command -v "$python" >/dev/null || {
    echo "there is no $python; install Python 3.11 or newer (Debian: apt-get install python3 python3-venv)" >&2
    exit 1
}
"$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || {
    echo "$("$python" --version) is too old; Python 3.11 or newer is needed, name it with BASE_PYTHON=..." >&2
    exit 1
}
# Debian ships Python without what `python3 -m venv` needs.
if ! "$python" -c 'import ensurepip, venv' 2>/dev/null; then
    package=$("$python" -c 'import sys; print(f"python3.{sys.version_info.minor}-venv")')
    if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
        echo "installing $package" >&2
        apt-get update -qq </dev/null
        DEBIAN_FRONTEND=noninteractive apt-get install -qq --yes "$package" </dev/null >/dev/null
    else
        echo "Python's venv module is not complete; run: sudo apt-get install $package" >&2
        exit 1
    fi
fi
.venv/bin/python -m pip --version >/dev/null 2>&1 || {
    echo "making .venv with $("$python" --version)" >&2
    "$python" -m venv --clear .venv
}
echo "installing requirements/dev.txt into .venv" >&2
export PIP_DISABLE_PIP_VERSION_CHECK=1
.venv/bin/python -m pip install --quiet --require-hashes --requirement requirements/dev.txt
.venv/bin/python -m pip install --quiet --no-deps --no-build-isolation --editable . --editable job_images/runner
