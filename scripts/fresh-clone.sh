#!/usr/bin/env bash
# Clones what is committed into a temporary folder and runs there what the README tells newcomers to run.
#
#   scripts/fresh-clone.sh [--as USER] [demo] [test]      both when none is named
#
#   demo   npm ci && npm run demo -- --exit
#   test   npm ci && npm test         with TESTS, those tests only: TESTS='test/embedded test/store'
#
# No server of this machine is used. --as needs root; the user needs no home.
set -euo pipefail

checkout=$(cd "$(dirname "$0")/.." && pwd)
user=$(id -un)
if [ "${1:-}" = --as ]; then
  user=$2
  shift 2
fi
[ $# -gt 0 ] || set -- demo test

place=$(mktemp -d "${TMPDIR:-/tmp}/celeriac-clone-XXXXXX")
clone=$place/celeriac

main() {
  trap clean_up EXIT
  chmod 711 "$place"
  git clone --quiet "$checkout" "$clone"
  mkdir "$place/home"
  copy_cache
  if [ "$user" != "$(id -un)" ]; then chown -R "$user" "$clone" "$place/home"; fi

  for command in "$@"; do
    case $command in
      demo) in_clone 'npm ci && npm run demo -- --exit' ;;
      test) in_clone "npm ci && npm test${TESTS:+ -- $TESTS}" ;;
      *) echo "fresh-clone.sh: there is no command \"$command\", only demo and test." >&2 && exit 2 ;;
    esac
  done
}

# What was downloaded for this checkout need not be downloaded again.
copy_cache() {
  local cache
  cache=$(npm config get cache)
  mkdir "$place/home/.npm"
  if [ -d "$cache/_cacache" ]; then cp -R "$cache/_cacache" "$place/home/.npm/"; fi
}

in_clone() {
  echo
  echo "== a fresh clone, as $user: $1"
  as_user env \
    -u REDIS_URL -u DATABASE_URL -u DIRECT_URL -u CELERIAC_BROKER_URL -u CELERIAC_DATABASE_URL -u NODE_ENV \
    HOME="$place/home" npm_config_cache="$place/home/.npm" npm_config_prefer_offline=true \
    npm_config_registry="$(npm config get registry)" \
    bash -c "cd '$clone' && $1"
}

as_user() {
  if [ "$user" = "$(id -un)" ]; then "$@"; else runuser -u "$user" -- "$@"; fi
}

# The demo's private PostgreSQL would stay for a while, for whoever starts the demo again.
clean_up() {
  local status=$?
  find "$clone" -path '*/node_modules' -prune -o -path '*/.celeriac/keeper.json' -print 2>/dev/null |
    while read -r file; do stop_keeper "$file"; done
  rm -rf "$place"
  exit "$status"
}

stop_keeper() {
  local keeper
  keeper=$(node -p 'JSON.parse(fs.readFileSync(process.argv[1], "utf8")).pid' "$1" 2>/dev/null) || return 0
  kill "$keeper" 2>/dev/null || return 0
  for _ in $(seq 50); do
    kill -0 "$keeper" 2>/dev/null || return 0
    sleep 0.1
  done
}

main "$@"
