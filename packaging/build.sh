#!/bin/sh
# Builds what the packages carry into OUT/bin: the module, the responder, the administrator's tool, the simulator.
#
#   build.sh OUT
#
# The bytes depend on the sources, Cargo.lock and the tool chain alone, not on the folder or the day: every path that a
# compiler would write into its output is given another name.
set -eu
cd "$(dirname "$0")/.."
mkdir -p "$1/bin"
out=$(cd "$1" && pwd -P)
source=$(pwd -P)
home=$(cd "${CARGO_HOME:-$HOME/.cargo}" && pwd -P)
CARGO_TARGET_DIR=$out/cargo
export CARGO_TARGET_DIR
# Nor on what whoever builds likes for programs of one's own.
for name in $(env | sed -nE 's/^((CARGO_(BUILD|PROFILE|TARGET)|RUSTC|RUSTFLAGS|CFLAGS|CXXFLAGS|LDFLAGS|CC|AR)\w*)=.*/\1/p'); do
	case $name in CARGO_TARGET_DIR | CARGO_BUILD_JOBS) ;; *) unset "$name" ;; esac
done

flags=
CFLAGS=
map() {
	flags=$(printf '%s%s--remap-path-prefix=%s' "$flags" "${flags:+$(printf '\037')}" "$1=$2")
	CFLAGS="${CFLAGS:+$CFLAGS }-ffile-prefix-map=$1=$2"
}
# The one that fits last is taken: the output's folder is, as a rule, inside the sources'.
map "$home" /usr/src/cargo
map "$(rustc --print sysroot)" /usr/src/rust
map "$source" /usr/src/mobileid
map "$CARGO_TARGET_DIR" /usr/src/target
# What a registry's folder is called depends on where it was copied from.
cargo fetch --locked --quiet --target "$(rustc -vV | sed -n 's/^host: //p')"
for registry in "$home"/registry/src/*; do map "$registry" /usr/src/crates; done
export CARGO_ENCODED_RUSTFLAGS="$flags"
# ring and AWS-LC are partly C, and are built as Debian builds what it ships. The module goes to Fedora as well, so that
# nothing here may ask for a newer libc than the oldest that we serve; tests/packages/contents.sh looks.
export CFLAGS="$CFLAGS -fstack-protector-strong -D_FORTIFY_SOURCE=2"
. packaging/dated

# One at a time: together they would be given the features that only one of them wants.
cargo build --locked --release -p pam_mobileid
cargo build --locked --release -p mobileidctl
cargo build --locked --release -p mobileid-simulator
cargo build --locked --profile daemon -p mobileid-radiusd

install -m 0644 "$CARGO_TARGET_DIR/release/libpam_mobileid.so" "$out/bin/pam_mobileid.so"
install -m 0755 "$CARGO_TARGET_DIR/release/mobileidctl" "$CARGO_TARGET_DIR/release/mobileid-simulator" \
	"$CARGO_TARGET_DIR/daemon/mobileid-radiusd" "$out/bin/"
