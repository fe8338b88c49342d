#!/bin/sh
# Installs the servers that the tests start, unless they are there: Kafka from Maven Central, an S3 server from PyPI.
# Into ${VOLLEY_TESTBED:-$HOME/.cache/volley/testbed}; removing that directory is all it takes to start over.
set -eu

kafka_version=4.3.0
moto_version=5.1.22
here=$(cd "$(dirname "$0")" && pwd)
testbed=${VOLLEY_TESTBED:-$HOME/.cache/volley/testbed}
mkdir -p "$testbed"

# Two runs at once must not install into each other.
if [ -z "${VOLLEY_TESTBED_LOCKED:-}" ] && command -v flock >/dev/null; then
    VOLLEY_TESTBED_LOCKED=1 exec flock "$testbed/.lock" "$0" "$@"
fi

say() { echo "testbed: $*" >&2; }

# need CHECK PACKAGE…: installs Debian packages, where we may, unless CHECK succeeds; elsewhere says what is missing.
need() {
    check=$1
    shift
    eval "$check" >/dev/null 2>&1 && return
    if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
        say "installing $*"
        apt-get update -qq >&2
        DEBIAN_FRONTEND=noninteractive apt-get install -y -qq "$@" >&2
    fi
    eval "$check" >/dev/null 2>&1 || { say "missing: $* (names of Debian packages)"; exit 1; }
}

# A second attempt helps against a registry's bad moment.
twice() { "$@" || { say "trying again: $*"; sleep 5; "$@"; }; }

install_kafka() {
    [ -e "$testbed/kafka/.version-$kafka_version" ] && return
    need "command -v mvn" maven
    say "installing Kafka $kafka_version"
    rm -rf "$testbed/kafka" "$testbed/kafka.new"
    mkdir -p "$testbed/kafka.new"
    twice mvn -q -B -f "$here/kafka-pom.xml" org.apache.maven.plugins:maven-dependency-plugin:3.6.1:copy-dependencies \
        -DincludeScope=runtime -DoutputDirectory="$testbed/kafka.new" >&2
    touch "$testbed/kafka.new/.version-$kafka_version"
    mv "$testbed/kafka.new" "$testbed/kafka"
}

install_s3() {
    [ -e "$testbed/s3/.version-$moto_version" ] && return
    need "python3 -c 'import ensurepip, venv'" python3 python3-venv
    say "installing moto $moto_version (an S3 server)"
    rm -rf "$testbed/s3"
    python3 -m venv "$testbed/s3" >&2
    twice "$testbed/s3/bin/pip" install -q --disable-pip-version-check "moto[server,s3]==$moto_version" >&2
    touch "$testbed/s3/.version-$moto_version"
}

need "command -v java" openjdk-17-jre-headless
need "command -v openssl" openssl
install_kafka
install_s3
