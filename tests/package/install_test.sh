#!/bin/sh
# Given a finished build, when it is installed, then everything is in place, nothing lands outside
# the prefix, and a configuration that somebody edited stays.
#
# usage: install_test.sh CMAKE BUILD_DIRECTORY
set -eu

cmake=$1
build=$2
stage=$(mktemp -d "${TMPDIR:-/tmp}/mbusd-install.XXXXXX")
trap 'rm -rf "$stage"' EXIT
trap 'exit 1' INT TERM HUP

faults=0
fault() {
    printf 'install_test: %s\n' "$*" >&2
    faults=$((faults + 1))
}

# expect FOLDER PATH...: each path below FOLDER exists.
expect() {
    folder=$1
    shift
    for path in "$@"; do
        [ -e "$folder/$path" ] || fault "missing: $path"
    done
}

install_to() { # PREFIX DESTDIR
    DESTDIR=$2 "$cmake" --install "$build" --prefix "$1" >"$stage/install.log" 2>&1 || {
        cat "$stage/install.log" >&2
        fault "cmake --install --prefix $1 failed"
    }
}

# --- as a distribution does it ---
root=$stage/root
install_to /usr "$root"
expect "$root" \
    usr/bin/mbusd usr/bin/mbus-send usr/bin/mbus-listen usr/bin/mbus \
    usr/include/mbus/mbus.hpp usr/include/mbus/mbus.h usr/include/mbus/address.hpp usr/include/mbus/websocket.hpp \
    usr/lib/systemd/system/mbusd.service usr/lib/systemd/system/mbusd.socket \
    usr/lib/systemd/system/mbusd-key.service \
    usr/lib/sysusers.d/mbusd.conf usr/lib/tmpfiles.d/mbusd.conf \
    etc/mbusd/mbusd.toml etc/mbusd/conf.d/README \
    usr/share/bash-completion/completions/mbus usr/share/bash-completion/completions/mbus-send \
    usr/share/bash-completion/completions/mbus-listen
[ -n "$(find "$root/usr" -name 'libmbus.so' -o -name 'libmbus.a')" ] || fault "missing: libmbus"
if command -v scdoc >/dev/null 2>&1; then
    expect "$root" usr/share/man/man8/mbusd.8 usr/share/man/man5/mbusd.toml.5 \
        usr/share/man/man1/mbus.1 usr/share/man/man1/mbus-send.1 usr/share/man/man1/mbus-listen.1
fi
for unit in mbusd.service mbusd-key.service; do
    grep -q '@[A-Z_]*@' "$root/usr/lib/systemd/system/$unit" && fault "$unit: an @NAME@ is left"
    program=$(sed -n 's,^ExecStart=.*\(/usr/bin/mbus[a-z]*\) .*,\1,p' "$root/usr/lib/systemd/system/$unit" | head -n 1)
    [ -x "$root$program" ] || fault "$unit starts $program, which is not installed"
done
grep -q 'ExecStart=/usr/bin/mbusd --config /etc/mbusd/mbusd.toml' "$root/usr/lib/systemd/system/mbusd.service" ||
    fault "mbusd.service does not read /etc/mbusd/mbusd.toml"

# --- a second time, after an edit ---
printf '# edited\n' >>"$root/etc/mbusd/mbusd.toml"
install_to /usr "$root"
grep -q '^# edited$' "$root/etc/mbusd/mbusd.toml" || fault "an edited mbusd.toml was overwritten"

# --- as a user does it, below one folder ---
install_to "$stage/own" ""
expect "$stage/own" bin/mbusd lib/systemd/system/mbusd.service etc/mbusd/mbusd.toml
grep -q "ExecStart=$stage/own/bin/mbusd --config $stage/own/etc/mbusd/mbusd.toml" \
    "$stage/own/lib/systemd/system/mbusd.service" || fault "mbusd.service does not follow the prefix"
outside=$(grep -E '^-- (Installing|Up-to-date): ' "$stage/install.log" | grep -v ": $stage/own/" || true)
[ -z "$outside" ] || fault "installed outside the prefix: $outside"

[ "$faults" -eq 0 ]
