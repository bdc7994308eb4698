#!/bin/sh
# Makes sure that a Docker engine answers, for the end-to-end lane: does nothing when one does, installs Debian's
# docker.io when there is none (as root, on Debian only), starts dockerd in the background, waits, and prints the socket.
# It never stops or changes an engine that runs already.
#
#   NULLPLANE_DOCKER_DIR   where the log and the pid file go (default: /tmp/nullplane-docker)
#   NULLPLANE_DOCKER_ARGS  further arguments of dockerd
set -eu

socket=/var/run/docker.sock
wait_seconds=60
dir=${NULLPLANE_DOCKER_DIR:-/tmp/nullplane-docker}

say() { echo "start-docker-engine: $*" >&2; }
fail() { say "$@"; exit 1; }

# Over the socket itself: a machine may have the engine without the client.
answers() {
  if command -v curl >/dev/null 2>&1; then
    curl -sf -m 2 --unix-socket "$socket" http://docker/_ping >/dev/null 2>&1
  else
    docker -H "unix://$socket" version >/dev/null 2>&1
  fi
}

install_engine() {
  [ -f /etc/debian_version ] || fail "no dockerd, and this is not Debian: install Docker yourself"
  say "installing docker.io"
  mkdir -p "$dir"
  { apt-get update && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends \
    docker.io iptables; } >"$dir/install.log" 2>&1 || fail "could not install docker.io, see $dir/install.log"
}

start_engine() {
  mkdir -p "$dir"
  # A pid file of an engine that died would make the new one refuse to start.
  if [ -f "$dir/dockerd.pid" ] && ! kill -0 "$(cat "$dir/dockerd.pid")" 2>/dev/null; then
    rm -f "$dir/dockerd.pid"
  fi
  say "starting dockerd (log: $dir/dockerd.log)"
  # shellcheck disable=SC2086 # the arguments are words on purpose
  setsid dockerd --host "unix://$socket" --pidfile "$dir/dockerd.pid" ${NULLPLANE_DOCKER_ARGS:-} \
    >>"$dir/dockerd.log" 2>&1 </dev/null &
  started=$!
}

if ! answers; then
  [ "$(id -u)" = 0 ] || fail "no engine answers on $socket, and only root can start one"
  command -v dockerd >/dev/null 2>&1 || install_engine
  start_engine
  left=$wait_seconds
  until answers; do
    # An engine that is still on its way out makes the new one give up: try again.
    kill -0 "$started" 2>/dev/null || start_engine
    left=$((left - 1))
    [ "$left" -gt 0 ] || { tail -n 5 "$dir/dockerd.log" >&2; fail "dockerd did not answer"; }
    sleep 1
  done
fi
echo "$socket"
