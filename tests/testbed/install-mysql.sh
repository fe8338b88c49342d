#!/bin/sh
# Installs MySQL into the directory that is named: usr/sbin/mysqld and the libraries that it needs, which run beside those of the
# system. Debian has it in its unstable distribution only, so that the newest version there is what comes; nothing of the system
# itself is changed. Without root, apt-get or that distribution there is no MySQL, and its tests are passed over.
set -eu

target=$1
[ -e "$target/usr/sbin/mysqld" ] && exit
command -v apt-get >/dev/null && command -v dpkg-deb >/dev/null || exit 1
apt=$(mktemp -d)
trap 'rm -rf "$apt"' EXIT
mkdir -p "$apt/lists/partial" "$apt/archives/partial" "$apt/parts" "$apt/state" "$apt/packages"
: >"$apt/state/status"
keys=/usr/share/keyrings/debian-archive-keyring.gpg
echo "deb [signed-by=$keys] http://deb.debian.org/debian sid main" >"$apt/sources.list"
cat >"$apt/conf" <<EOF
Dir::Etc::sourcelist "$apt/sources.list";
Dir::Etc::sourceparts "$apt/parts";
Dir::State "$apt/state";
Dir::State::lists "$apt/lists";
Dir::State::status "$apt/state/status";
Dir::Cache::archives "$apt/archives";
Dir::Cache::pkgcache "";
Dir::Cache::srcpkgcache "";
APT::Sandbox::User "$(id -un)";
Acquire::Languages "none";
EOF
export APT_CONFIG="$apt/conf"
apt-get update -qq
packages=$(apt-get install -s --no-install-recommends mysql-server-core | sed -n 's/^Inst \([^ ]*\).*/\1/p' |
    grep -Ev '^(perl|libperl|libdb5|libgdbm|libc-gconv)')
cd "$apt/packages"
# shellcheck disable=SC2086
apt-get download -qq $packages
mkdir "$apt/root"
for package in *.deb; do
    dpkg-deb -x "$package" "$apt/root"
done
rm -rf "$target" "$target.new"
mkdir -p "$target.new/usr"
for part in sbin lib share/mysql; do
    mkdir -p "$target.new/usr/$(dirname "$part")"
    cp -a "$apt/root/usr/$part" "$target.new/usr/$part"
done
# what does not run here is not there
libraries=$target.new/usr/lib/x86_64-linux-gnu
"$libraries/ld-linux-x86-64.so.2" --library-path "$libraries" "$target.new/usr/sbin/mysqld" --no-defaults --version
mv "$target.new" "$target"
