#!/bin/sh
# Installs the SDK into a scratch prefix, moves it, and checks what a user gets: exported symbols,
# needed libraries, headers, find_package, pkg-config, C99, add_subdirectory (shared and static).
#   sdk_test.sh SOURCE_DIR
set -eu

source=$1
here=$source/tests/package
scratch=$(mktemp -d "${TMPDIR:-/tmp}/mbus-package-XXXXXX")
trap 'rm -rf "$scratch"' EXIT
unset LD_LIBRARY_PATH MBUS_SOCKET CMAKE_PREFIX_PATH || true
jobs=${MBUS_TEST_JOBS:-2}

say() { printf '%s\n' "-- $*"; }
die() { printf 'FAILED: %s\n' "$*" >&2; exit 1; }

# Runs a program that must end with a status.
expect() {
    wanted=$1; shift
    set +e; "$@"; status=$?; set -e
    [ "$status" = "$wanted" ] || die "'$*' ended with $status instead of $wanted"
}

# The libraries that a file names as needed may only be these; ld-linux is part of the C runtime.
check_needed() {
    needed=$(readelf -d "$1" | sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p')
    for one in $needed; do
        case $one in
            libstdc++.so.6|libm.so.6|libgcc_s.so.1|libc.so.6|ld-linux*) ;;
            libmbus.so.0) [ -n "${2:-}" ] || die "$1 needs $one" ;;
            libssl.so.*|libcrypto.so.*) [ "${2:-}" = websocket ] || die "$1 needs $one" ;;
            *) die "$1 needs $one" ;;
        esac
    done
}

# Only namespace mbus and mbus_* may be exported, and this function must be (none: nothing must).
check_symbols() {
    foreign=$(nm -D --defined-only -C "$1" | cut -d' ' -f3- |
        grep -Ev '^(mbus::|mbus_[a-z]|(typeinfo|typeinfo name|vtable) for mbus::)' || true)
    [ -z "$foreign" ] || die "$1 exports: $foreign"
    [ "${2:-}" = none ] || nm -D --defined-only "$1" | grep -q " T ${2:-mbus_connect}\$" || die "$1 lacks ${2:-mbus_connect}"
}

configure() { cmake -G Ninja -DCMAKE_BUILD_TYPE=Release "$@" > "$scratch/log" 2>&1 || { cat "$scratch/log"; exit 1; }; }
build() { cmake --build "$1" -j "$jobs" > "$scratch/log" 2>&1 || { cat "$scratch/log"; exit 1; }; }

say "build and install the SDK alone"
configure -S "$source" -B "$scratch/build" -DMBUS_BUILD_DAEMON=OFF -DMBUS_BUILD_TOOLS=OFF -DMBUS_BUILD_EXAMPLES=OFF \
    -DMBUS_BUILD_TESTING=ON -DCMAKE_INSTALL_PREFIX="$scratch/first"
build "$scratch/build"
cmake --install "$scratch/build" > /dev/null
prefix=$scratch/moved
mv "$scratch/first" "$prefix"
library=$(dirname "$(find "$prefix" -name libmbus.so)")

say "exported symbols and needed libraries"
check_symbols "$library/libmbus.so"
check_symbols "$library/libmbus-testing.so" none
check_symbols "$library/libmbus-websocket.so" mbus_enable_websocket
check_needed "$library/libmbus.so"
check_needed "$library/libmbus-websocket.so" websocket
readelf -d "$library/libmbus.so" | grep -q 'SONAME.*libmbus.so.0' || die "libmbus.so lacks its SONAME"

say "headers"
for header in "$prefix"/include/mbus/*.hpp; do
    case $header in */asio.hpp) continue ;; esac
    foreign=$(grep -hE '^ *# *include' "$header" | grep -Ev '<(mbus/[a-z_]+\.(hpp|h)|[a-z_]+)>' || true)
    [ -z "$foreign" ] || die "$header includes $foreign"
    echo "#include <mbus/$(basename "$header")>" > "$scratch/header.cpp"
    c++ -std=c++20 -Wall -Wextra -Wpedantic -Werror -fsyntax-only -I"$prefix/include" "$scratch/header.cpp"
done

say "find_package"
configure -S "$here/sdk_consumer" -B "$scratch/found" -DCMAKE_PREFIX_PATH="$prefix" -DHELLO_C="$source/examples/hello.c"
build "$scratch/found"
expect 3 "$scratch/found/program"
expect 3 "$scratch/found/program_websocket"
expect 0 "$scratch/found/program_test"
MBUS_SOCKET=/nonexistent/mbusd.sock expect 1 "$scratch/found/program_c"
check_needed "$scratch/found/program" user
check_needed "$scratch/found/program_c" user

say "pkg-config"
PKG_CONFIG_PATH=$library/pkgconfig
export PKG_CONFIG_PATH
# shellcheck disable=SC2046 # the flags are several words
c++ -std=c++20 "$here/sdk_consumer/program.cpp" -o "$scratch/program" $(pkg-config --cflags --libs mbus)
LD_LIBRARY_PATH=$library expect 3 "$scratch/program"
check_needed "$scratch/program" user
# shellcheck disable=SC2046
c++ -std=c++20 "$here/sdk_consumer/program_websocket.cpp" -o "$scratch/program_websocket" \
    $(pkg-config --cflags --libs mbus-websocket) -Wl,-rpath-link,"$library"
LD_LIBRARY_PATH=$library expect 3 "$scratch/program_websocket"
# shellcheck disable=SC2046
c++ -std=c++20 "$here/sdk_consumer/program_test.cpp" -o "$scratch/program_test" \
    $(pkg-config --cflags --libs mbus-testing) -Wl,-rpath-link,"$library"
LD_LIBRARY_PATH=$library expect 0 "$scratch/program_test"
LD_LIBRARY_PATH=$library ldd "$scratch/program" | grep -Ev 'libmbus|libstdc|libm\.so|libgcc_s|libc\.so|ld-linux|vdso' &&
    die "ldd shows more than libmbus and the runtime"

for shared in ON OFF; do
    say "add_subdirectory, shared $shared"
    configure -S "$here/sdk_consumer" -B "$scratch/source-$shared" -DFROM_SOURCE="$source" -DBUILD_SHARED_LIBS=$shared \
        -DHELLO_C="$source/examples/hello.c" -DCMAKE_CXX_COMPILER_LAUNCHER="$(command -v ccache || true)"
    build "$scratch/source-$shared"
    expect 3 "$scratch/source-$shared/program"
    expect 3 "$scratch/source-$shared/program_websocket"
    expect 0 "$scratch/source-$shared/program_test"
    MBUS_SOCKET=/nonexistent/mbusd.sock expect 1 "$scratch/source-$shared/program_c"
done
say "all good"
