#!/bin/sh
# Installs the emulators that the AWS lanes run against, in a Python environment of their own; does nothing when they
# are there. Prints the environment's folder. Needs Python 3.10 or newer with venv.
set -eu

ministack=1.4.21
moto=5.2.1
root=$(cd "$(dirname "$0")/.." && pwd)
dir=${NULLPLANE_EMULATORS_DIR:-$root/node_modules/.cache/nullplane/emulators-$ministack-$moto}

whole() {
  "$dir/bin/python" -c 'import ministack.app, moto.server' && [ -x "$dir/bin/ministack" ] && [ -x "$dir/bin/moto_server" ]
}

if ! whole >/dev/null 2>&1; then
  python=${PYTHON:-python3}
  if ! "$python" -c 'import sys, venv; sys.exit(sys.version_info < (3, 10))' 2>/dev/null; then
    echo "install-emulators: the AWS lanes need Python 3.10 or newer with venv (set PYTHON to name it)" >&2
    exit 1
  fi
  rm -rf "$dir"
  "$python" -m venv "$dir" >&2
  "$dir/bin/pip" install --quiet --disable-pip-version-check "ministack==$ministack" "moto[server]==$moto" >&2
fi
echo "$dir"
