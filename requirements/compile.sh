#!/bin/sh
# Write the lock files anew: exact versions with hashes for every platform, without the address of any index.
set -eu
cd "$(dirname "$0")/.."
compile() { uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --no-emit-package gisgrid --no-emit-package gisgrid-server --quiet "$@"; }
compile pyproject.toml server/pyproject.toml requirements/build.in --all-extras --group dev -o requirements/dev.lock
compile pyproject.toml server/pyproject.toml requirements/build.in -c requirements/dev.lock -o requirements/run.lock
compile pyproject.toml requirements/build.in --group core-test -c requirements/dev.lock -o requirements/core.lock
compile requirements/node.in -o requirements/node.lock
compile requirements/uv.in -o requirements/uv.lock
