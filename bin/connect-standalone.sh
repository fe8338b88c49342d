#!/bin/sh
# Starts a standalone worker. Takes the arguments of Kafka's script of the same name; see launch-worker.sh for what it runs.

# The directory of this script, also when it is called through a link.
script=$0
while [ -L "$script" ]; do
    target=$(readlink "$script")
    case $target in
        /*) script=$target ;;
        *) script=$(dirname "$script")/$target ;;
    esac
done
exec "$(dirname "$script")/launch-worker.sh" "$0" standalone connectStandalone "worker.properties [connector.properties | connector.json]..." "$@"
