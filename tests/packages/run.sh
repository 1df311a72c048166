#!/bin/bash
# Tests of the packages as an administrator meets them: what is in them, how they come, change and go on a booted Debian,
# and what they do there. Root runs it, after the packages are made.
#
#   run.sh [--quick] OUT WORK [STORIES]
#
# OUT has the packages, WORK is ours. STORIES is a file of this folder without its ending; all of them otherwise.
#
# --quick is what `make test` says: the programs are those of `make build`, so that what holds of a release alone is not
# told; and where no machine can be booted, its stories are named as not run, which otherwise counts as a failure.
set -u
umask 022
export LC_ALL=C.UTF-8 PATH="$PATH:/usr/sbin:/sbin"
quick=
if [ "$1" = --quick ]; then
	quick=yes
	shift
fi
tests=$(cd "$(dirname "$0")" && pwd -P)
root=$(cd "$tests/../.." && pwd -P)
mkdir -p "$2"
OUT=$(cd "$1" && pwd -P)
WORK=$(cd "$2" && pwd -P)/work
# shellcheck disable=SC2034 # machine.sh uses it
CACHE=$(cd "$2" && pwd -P)/tree

# One run at a time has the folder. What a run that was killed left there goes; no process outlives it.
exec 9> "$2/lock"
flock --wait 1800 9 || { echo "packages: another run does not end; it holds $2/lock" >&2; exit 1; }
rm -rf --one-file-system "$WORK"
mkdir -p "$WORK"
TELLER=
finish() {
	if [ -n "$TELLER" ]; then kill -KILL -- "-$TELLER" "-$guard" 2>/dev/null || true; fi
	halt
	rm -rf --one-file-system "$WORK"
}
trap finish EXIT
trap 'exit 130' INT TERM HUP

passed=0
failed=0
not_run=0
# Each story has this many seconds.
patience=600

# story WHAT FUNCTION: one thing that must hold. Its output is shown where it does not.
story() {
	if [ -n "$CANNOT" ]; then
		echo "not run $1"
		not_run=$((not_run + 1))
		return
	fi
	# A process group of its own, so that all of it can be ended.
	set -m
	(
		set -eu
		"$2"
	) > "$WORK/said" 2>&1 < /dev/null 9>&- &
	TELLER=$!
	(
		sleep "$patience"
		kill -0 "$$" || exit
		echo "not over after $patience seconds" >> "$WORK/said"
		kill -KILL -- "-$TELLER"
	) > /dev/null 2>&1 9>&- &
	guard=$!
	set +m
	{
		wait "$TELLER"
		status=$?
		kill -KILL -- "-$guard"
		wait "$guard"
	} 2> /dev/null
	if [ "$status" -eq 0 ]; then
		echo "ok      $1"
		passed=$((passed + 1))
	else
		echo "FAILED  $1"
		sed 's/^/        | /' "$WORK/said"
		failed=$((failed + 1))
	fi
	TELLER=
}

# The sentences that stories are made of. Each shows what it found when it does not hold.
has() {
	if ! grep -qE -- "$2" <<< "$1"; then
		printf 'expected: %s\nfound:\n%s\n' "$2" "$1"
		return 1
	fi
}
has_not() {
	if grep -qE -- "$2" <<< "$1"; then
		printf 'not expected: %s\nfound:\n%s\n' "$2" "$1"
		return 1
	fi
}
same() {
	if ! diff <(printf '%s\n' "$1") <(printf '%s\n' "$2"); then return 1; fi
}
refused() {
	if "$@"; then
		echo "not refused: $*"
		return 1
	fi
}

. "$tests/machine.sh"

# The same programs in packages of another version, for upgrades: $WORK/VERSION has them.
version_of() {
	if [ ! -d "$WORK/$1" ]; then
		mkdir -p "$WORK/$1"
		ln -s "$OUT/bin" "$OUT/inventory" "$WORK/$1/"
		"$root/packaging/$2/build.sh" "$WORK/$1" "$1" > "$WORK/log" 2>&1 || { cat "$WORK/log"; return 1; }
		rm -rf "${WORK:?}/$1/work"
	fi
}

# What needs no booted machine comes first.
for stories in ${3:-contents fedora debian responder pages}; do
	echo "== $stories"
	. "$tests/$stories.sh"
done
if [ -n "$CANNOT" ]; then
	echo "$passed passed, $failed failed, $not_run not run: $CANNOT"
	[ -n "$quick" ] || exit 1
else
	echo "$passed passed, $failed failed"
fi
[ "$failed" -eq 0 ]
