#!/bin/sh
# What connect-standalone.sh and connect-distributed.sh share: launch-worker.sh SCRIPT MODE OUTPUT USAGE [-daemon] ARGUMENT...
#
# The binary is $VOLLEY_BIN if that is set, else the one built in this checkout, else `volley` on the PATH.
# With -daemon the worker runs in the background and appends to $LOG_DIR/OUTPUT.out (default: logs/ beside bin/).
script=$1
mode=$2
output=$3
usage=$4
shift 4

usage() {
    echo "usage: $script [-daemon] $usage"
    exit 1
}

home=$(cd "$(dirname "$0")/.." && pwd) || exit 2

daemon=
if [ "${1-}" = "-daemon" ]; then
    daemon=yes
    shift
fi
[ $# -gt 0 ] || usage
for argument in "$@"; do
    [ "$argument" != "--help" ] || usage
done

if [ -n "${VOLLEY_BIN-}" ]; then
    volley=$VOLLEY_BIN
elif [ -x "$home/target/release/volley" ]; then
    volley=$home/target/release/volley
elif [ -n "${CARGO_TARGET_DIR-}" ] && [ -x "$CARGO_TARGET_DIR/release/volley" ]; then
    volley=$CARGO_TARGET_DIR/release/volley
else
    volley=volley
fi
if ! command -v "$volley" > /dev/null 2>&1; then
    echo "$script: could not find $volley; run \`cargo build --release\` in $home, or set VOLLEY_BIN" >&2
    exit 2
fi

if [ -z "$daemon" ]; then
    exec "$volley" "$mode" "$@"
fi
logs=${LOG_DIR:-$home/logs}
mkdir -p "$logs" || exit 2
nohup "$volley" "$mode" "$@" >> "$logs/$output.out" 2>&1 < /dev/null &
