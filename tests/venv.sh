#!/bin/sh
# Make .venv with everything the lab and the tests need, and the link through which Ansible loads this checkout as a collection.
# Needs git, make and python3 alone: Debian's python3 lacks ensurepip, so as root its package is installed.
set -eu
cd "$(dirname "$0")/.."

# The distribution's own is built for speed, which one that was built by hand and stands first on PATH often is not.
new() { "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; }
whole() { "$1" -c 'import ensurepip, venv' 2>/dev/null; }
python=python3
if new /usr/bin/python3 && { whole /usr/bin/python3 || [ "$(id -u)" -eq 0 ]; }; then
    python=/usr/bin/python3
fi

if ! new "$python"; then
    echo "make venv: python3 is older than 3.11, which the tests need; put a newer python3 first on PATH." >&2
    exit 1
fi
if ! whole "$python"; then
    if [ "$(id -u)" -ne 0 ] || ! command -v apt-get >/dev/null; then
        echo "make venv: python3 has no ensurepip; install your system's python3-venv package and try again." >&2
        exit 1
    fi
    install() { DEBIAN_FRONTEND=noninteractive apt-get install -qqy --no-install-recommends python3-venv >/dev/null; }
    echo "make venv: installing the package python3-venv"
    # A fresh machine has no package lists, or old ones.
    install 2>/dev/null || { apt-get -qq update && install; }
fi

echo "make venv: installing tests/requirements.txt into .venv (a minute the first time)"
# Another interpreter, or one that was upgraded and leaves a .venv that cannot run: begin anew then.
real() { "$1" -c 'import os, sys; print(os.path.realpath(sys.executable))' 2>/dev/null; }
[ "$(real .venv/bin/python)" = "$(real "$python")" ] || rm -rf .venv
.venv/bin/python -m pip --version >/dev/null 2>&1 || rm -rf .venv
[ -d .venv ] || "$python" -m venv .venv
.venv/bin/python -m pip install -qq --disable-pip-version-check -r tests/requirements.txt

mkdir -p .cache/collections/ansible_collections/homecloud
ln -sfn ../../../.. .cache/collections/ansible_collections/homecloud/swarm
