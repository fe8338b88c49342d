#!/bin/sh
# Installs the servers that the tests start, unless they are there: Kafka, Kafka Connect, plug-ins of Kafka's own tests, Java plug-ins,
# Iceberg's sink, a Schema Registry and its converters
# HDFS and an S3 server from Maven Central, another S3 server, a client of Connect's REST and Confluent's serializers from PyPI,
# PostgreSQL and MariaDB from Debian, MySQL where it can be had, and Azurite (Azure Blob Storage) where there is npm.
# With names as arguments also what only benches need: duckdb, postgresql (its driver for Java).
# Into ${VOLLEY_TESTBED:-$HOME/.cache/volley/testbed}; removing that directory is all it takes to start over.
set -eu

kafka_version=4.3.0
hadoop_version=3.4.2
moto_version=5.1.22
s3proxy_version=4.0.0
registry_version=2.6.13.Final
client_version=1.0.0
serializers_version=2.16.1
protoc_version=1.85.1
azurite_version=3.37.0
iceberg_version=1.12.0
duckdb_version=2.0.1
postgresql_driver_version=42.7.5
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

# install_jars NAME VERSION: what NAME-pom.xml depends on, into the directory NAME.
install_jars() {
    [ -e "$testbed/$1/.version-$2" ] && return
    need "command -v mvn" maven
    say "installing $1 $2"
    rm -rf "$testbed/$1" "$testbed/$1.new"
    mkdir -p "$testbed/$1.new"
    twice mvn -q -B -f "$here/$1-pom.xml" org.apache.maven.plugins:maven-dependency-plugin:3.6.1:copy-dependencies \
        -DincludeScope=runtime -DoutputDirectory="$testbed/$1.new" >&2
    touch "$testbed/$1.new/.version-$2"
    mv "$testbed/$1.new" "$testbed/$1"
}

# A Schema Registry: Apicurio's, which speaks the language of Confluent's too.
install_registry() {
    [ -e "$testbed/registry/.version-$registry_version" ] && return
    need "command -v mvn" maven
    say "installing Apicurio Registry $registry_version"
    rm -rf "$testbed/registry" "$testbed/registry.new"
    mkdir -p "$testbed/registry.new"
    twice mvn -q -B org.apache.maven.plugins:maven-dependency-plugin:3.6.1:copy \
        -Dartifact="io.apicurio:apicurio-registry-app:$registry_version:tar.gz:all" \
        -DoutputDirectory="$testbed/registry.new" -Dmdep.stripVersion=true >&2
    tar xzf "$testbed"/registry.new/*.tar.gz -C "$testbed/registry.new"
    rm "$testbed"/registry.new/*.tar.gz
    touch "$testbed/registry.new/.version-$registry_version"
    mv "$testbed/registry.new" "$testbed/registry"
}

# install_python NAME VERSION PACKAGE…: into a virtual environment of its own.
install_python() {
    name=$1
    version=$2
    shift 2
    [ -e "$testbed/$name/.version-$version" ] && return
    need "python3 -c 'import ensurepip, venv'" python3 python3-venv
    say "installing $*"
    rm -rf "${testbed:?}/$name"
    python3 -m venv "$testbed/$name" >&2
    twice "$testbed/$name/bin/pip" install -q --disable-pip-version-check "$@" >&2
    touch "$testbed/$name/.version-$version"
}

# Java plug-ins as their users have them, each in a directory of its own.
install_java_plugins() {
    version=$(cksum <"$here/java-plugins-pom.xml" | tr ' ' -)
    [ -e "$testbed/java-plugins/.version-$version" ] && return
    say "installing Java plug-ins"
    rm -rf "$testbed/java-plugins" "$testbed/java-plugins.new"
    twice mvn -q -B -f "$here/java-plugins-pom.xml" process-resources -Dplugins="$testbed/java-plugins.new" >&2
    touch "$testbed/java-plugins.new/.version-$version"
    mv "$testbed/java-plugins.new" "$testbed/java-plugins"
}

# install_azurite: fails where there is no npm. What it needs for other things than blobs is not run.
install_azurite() {
    [ -e "$testbed/azurite/.version-$azurite_version" ] && return
    command -v node >/dev/null && command -v npm >/dev/null || return 1
    say "installing Azurite $azurite_version"
    rm -rf "$testbed/azurite" "$testbed/azurite.new"
    mkdir -p "$testbed/azurite.new"
    twice npm install --silent --prefix "$testbed/azurite.new" --omit=dev --omit=optional --ignore-scripts \
        --no-audit --no-fund "azurite@$azurite_version" >&2 || return 1
    touch "$testbed/azurite.new/.version-$azurite_version"
    mv "$testbed/azurite.new" "$testbed/azurite"
}

# with the compiler: some tests run a Java program of their own
need "java --list-modules | grep -q jdk.compiler" openjdk-17-jdk-headless
# also for the host of Java plug-ins, which is built anew each time
need "command -v mvn" maven
need "command -v openssl" openssl
need "ls /usr/lib/postgresql/*/bin/postgres && command -v setpriv" postgresql util-linux
need "command -v mariadbd && command -v mysql_install_db && command -v mariadb" mariadb-server mariadb-client
install_jars kafka $kafka_version
install_jars connect $kafka_version
install_jars connect-tests $kafka_version
install_jars converters $kafka_version
install_jars hdfs $hadoop_version
install_jars s3proxy $s3proxy_version
install_jars iceberg $iceberg_version
install_registry
install_java_plugins
install_python s3 $moto_version "moto[server,s3]==$moto_version"
install_python clients $client_version-$serializers_version-$protoc_version "kafka-connect-py==$client_version" \
    "confluent-kafka[avro,json,protobuf,schemaregistry]==$serializers_version" "grpcio-tools==$protoc_version"
sh "$here/install-mysql.sh" "$testbed/mysql" >&2 || say "there is no MySQL: its tests are passed over"
install_azurite || say "there is no Azurite: tests on Azure are passed over"
for more in "$@"; do
    case $more in
        postgresql) install_jars postgresql $postgresql_driver_version ;;
        duckdb) install_python duckdb $duckdb_version "duckdb==$duckdb_version" ;;
        *) say "there is nothing named $more"; exit 1 ;;
    esac
done
