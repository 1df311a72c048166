#!/bin/bash
# Tests of the packages as an administrator meets them: what is in them, how they come, change and go on a booted Debian,
# and what they do there. `make test-packages` runs it, as root, after `make packages`.
#
#   run.sh OUT WORK [STORIES]
#
# OUT has the packages, WORK is ours. STORIES is a file of this folder without its ending; all of them otherwise.
set -u
tests=$(cd "$(dirname "$0")" && pwd -P)
root=$(cd "$tests/../.." && pwd -P)
mkdir -p "$2"
OUT=$(cd "$1" && pwd -P)
WORK=$(cd "$2" && pwd -P)/work
# shellcheck disable=SC2034 # machine.sh uses it
CACHE=$(cd "$2" && pwd -P)/tree
mkdir -p "$WORK"
trap 'halt; rm -rf "$WORK"' EXIT

passed=0
failed=0

# story WHAT FUNCTION: one thing that must hold. Its output is shown where it does not.
story() {
	(
		set -eu
		"$2"
	) > "$WORK/said" 2>&1
	# In a condition set -e would not hold inside.
	# shellcheck disable=SC2181
	if [ $? -eq 0 ]; then
		echo "ok      $1"
		passed=$((passed + 1))
	else
		echo "FAILED  $1"
		sed 's/^/        | /' "$WORK/said"
		failed=$((failed + 1))
	fi
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

for stories in ${3:-contents debian responder fedora}; do
	echo "== $stories"
	. "$tests/$stories.sh"
done
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
