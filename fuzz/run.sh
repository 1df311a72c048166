#!/bin/sh
# Fuzzes every parser for a while, on stable Rust: fuzz/run.sh [seconds per target, 20] [target...]
#
# libFuzzer comes with the crate libfuzzer-sys; the compiler counts edges for it with the flags below, which are
# those of cargo-fuzz without the sanitizer. Starts from the kept corpus and writes nothing into it. Ends with a
# failure at the first input that breaks a promise, and tells how to see it again.
set -eu
here=$(cd "$(dirname "$0")" && pwd)

seconds=20
case ${1-} in
'' | *[!0-9]*) ;;
*) seconds=$1; shift ;;
esac
[ $# -gt 0 ] || set -- cms answer srs config users ldap prompt ticket machine radius_packet radius_upstream \
    radius_state radius_server
# The longest inputs: what is longer tells nothing new about the parser.
length() {
    case $1 in
    cms | answer | machine) echo 8192 ;;
    # A little more than the longest packet.
    radius_packet) echo 4200 ;;
    *) echo 2048 ;;
    esac
}

case ${CARGO_TARGET_DIR-} in
'') target=$here/target ;;
/*) target=$CARGO_TARGET_DIR ;;
*) target=$PWD/$CARGO_TARGET_DIR ;;
esac
# Named, so that the flags are not for build scripts, which have no libFuzzer to link with.
host=$(rustc -vV | sed -n 's/^host: //p')
flags='--cfg fuzzing -Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4'
flags="$flags -Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table"
flags="$flags -Cllvm-args=-sanitizer-coverage-trace-compares -Ccodegen-units=1"
bins=
for name; do
    [ -f "$here/targets/$name.rs" ] || { echo "fuzz: there is no target $name" >&2; exit 2; }
    bins="$bins --bin $name"
done
# shellcheck disable=SC2086  # a list of words
(cd "$here" && RUSTFLAGS=$flags cargo build --quiet --locked --release --target "$host" --target-dir "$target" $bins)

found=$(mktemp -d)
trap 'rm -rf "$found"' EXIT
trap 'exit 130' INT TERM
artifacts=$here/artifacts
for name; do
    mkdir -p "$found/$name" "$artifacts/$name"
    program=$target/$host/release/$name
    set -- "$found/$name" "$here/corpus/$name"
    dictionary=$here/dictionaries/$name.dict
    [ ! -f "$dictionary" ] || set -- "-dict=$dictionary" "$@"
    log=$found/$name.log
    if ! RUST_BACKTRACE=0 "$program" -seed=1 -runs=20000000 -max_total_time="$seconds" -timeout=10 -rss_limit_mb=1024 \
        -max_len="$(length "$name")" -artifact_prefix="$artifacts/$name/" -print_final_stats=1 "$@" >"$log" 2>&1
    then
        tail -n 30 "$log" >&2
        artifact=$(sed -n 's/.*Test unit written to //p' "$log" | tail -n 1)
        echo "fuzz: $name FAILED. See it again with: $program ${artifact:-}" >&2
        exit 1
    fi
    rmdir "$artifacts/$name" "$artifacts" 2>/dev/null || true
    awk -v name="$name" '
        / cov: / { for (i = 1; i < NF; i++) if ($i == "cov:") edges = $(i + 1) }
        /^Done / { runs = $2; took = $5 }
        /peak_rss_mb/ { rss = $2 }
        END { printf "fuzz: %-15s %9d runs in %3d s, %5d edges, %4d MiB, no failure\n", name, runs, took, edges, rss }
    ' "$log"
done
