#!/bin/sh
# Starts a standalone worker. Takes the arguments of Kafka's script of the same name.
#
# The binary is $VOLLEY_BIN if that is set, else the one built in this checkout, else `volley` on the PATH.
# With -daemon the worker runs in the background and writes to $LOG_DIR/connectStandalone.out (default: logs/ beside bin/).

usage() {
    echo "usage: $0 [-daemon] worker.properties [connector.properties | connector.json]..."
    exit 1
}

# The directory of this script, also when it is called through a link.
script=$0
while [ -L "$script" ]; do
    target=$(readlink "$script")
    case $target in
        /*) script=$target ;;
        *) script=$(dirname "$script")/$target ;;
    esac
done
home=$(cd "$(dirname "$script")/.." && pwd) || exit 2

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
    echo "$0: could not find $volley; run \`cargo build --release\` in $home, or set VOLLEY_BIN" >&2
    exit 2
fi

if [ -z "$daemon" ]; then
    exec "$volley" standalone "$@"
fi
logs=${LOG_DIR:-$home/logs}
mkdir -p "$logs" || exit 2
nohup "$volley" standalone "$@" > "$logs/connectStandalone.out" 2>&1 < /dev/null &
