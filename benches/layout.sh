#!/bin/sh
# Writes pam/layout.ld anew: valgrind records which functions of the module run. `make layout` calls this, after
# `make bench-pam`, which leaves a program that asks a PAM service, and a configuration.
#
#   layout.sh BENCH TARGET
#
# BENCH is where bench-pam left its files, TARGET the folder to build the module in once more, with its symbols.
set -eu
export LC_ALL=C

bench=$(realpath "$1")
target=$2
cd "$(dirname "$0")/.."
layout=pam/layout.ld
work=$(mktemp -d)
cp "$layout" "$work/kept"
# What went wrong half way leaves the layout as it was.
trap 'cp "$work/kept" "$layout"; rm -rf "$work"' EXIT

# The functions of the module that run for these arguments of it, by their symbols.
functions() {
	echo "auth required $module $1" >"$work/layout"
	valgrind --quiet --tool=callgrind --callgrind-out-file="$work/calls" --compress-strings=no --demangle=no \
		"$bench/pam/services/pam_cost" "$work" layout root >/dev/null
	awk -v module="$module" '
		/^ob=/ { ours = substr($0, 4) == module }
		/^fn=/ && ours { sub(/^fn=/, ""); sub(/\x27[0-9]+$/, ""); print }
	' "$work/calls"
}

# A symbol as the name of its section, without what a compiler makes up: hashes of crates, and in the newer mangling
# the distance to an earlier part. A function that is marked cold has a prefix to its section.
sections() {
	sed -E '
		/^\(below|^0x/d
		s/\.(llvm\.)?[0-9]+$//
		/^_ZN/ s/17h[0-9a-f]{16}E.*$/17h*/
		/^_R/ { s/Cs[0-9A-Za-z]+_([0-9])/Cs*_\1/g; s/B[0-9A-Za-z]{0,2}_/B*_/g; s/$/*/ }
		s/.*/        *(.text*.&)/
	' | sort -u
}

# Writes the layout with these two lists.
write() {
	cat - "$1" <<'END'
/* Where functions stand in the module's file. The kernel maps a file by 64 KiB and more at a time: side by side, what
   runs in every login is two or three of these, and scattered it is ten. A line that fits no function does nothing,
   and a function without a line stands where it always would; nothing else depends on this.

   Written by `make layout`; docs/decisions/0014-load-cost.md has the reasons and the numbers. */

/* Every login, behind what the C library runs when it loads the module. */
SECTIONS
{
    .text.login :
    {
END
	cat - "$2" <<'END'
    }
}
INSERT BEFORE .text;

/* Reading the configuration. */
SECTIONS
{
    .text.config :
    {
END
	cat <<'END'
    }
}
INSERT AFTER .text;
END
}

# Recorded is the module as it is without a layout: valgrind knows the names of one section. The profile is that of the
# release, because with another one the compiler merges other functions.
write /dev/null /dev/null >"$layout"
cargo rustc --locked --release -p pam_mobileid --target-dir "$target" -- -C strip=none
module=$(realpath "$target/release/libpam_mobileid.so")

functions config=/nonexistent | sections >"$work/login"
functions "config=$bench/pam/service/mobileid.toml" | sections | comm -13 "$work/login" - >"$work/config"
if ! [ -s "$work/login" ] || ! [ -s "$work/config" ]; then
	echo 'layout: nothing was recorded' >&2
	exit 1
fi
write "$work/login" "$work/config" >"$work/kept"
