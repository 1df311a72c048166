#!/bin/sh
# Builds the packages twice, from two folders and with two build folders, and wants the same bytes. Takes twice as long
# as a release build: `make test-reproducible`.
#
#   reproducible.sh WORK
set -eu
root=$(cd "$(dirname "$0")/../.." && pwd -P)
mkdir -p "$1"
work=$(cd "$1" && pwd -P)
SOURCE_DATE_EPOCH=$(git -C "$root" log -1 --format=%ct)
export SOURCE_DATE_EPOCH

# What is committed is what is compared.
for build in one two/folders/deeper; do
	rm -rf "${work:?}/${build%%/*}"
	mkdir -p "$work/$build"
	git clone --quiet "file://$root" "$work/$build/mobileid"
	make --no-print-directory -C "$work/$build/mobileid" packages PACKAGES="$work/$build/out" \
		CARGO_TARGET_DIR="$work/$build/target" > "$work/${build%%/*}.log" 2>&1 || { tail -n 30 "$work/${build%%/*}.log"; exit 1; }
done
different=0
for file in "$work"/one/out/*.deb "$work"/one/out/*.rpm "$work"/one/out/bin/* "$work"/one/out/*.cdx.json; do
	other=$work/two/folders/deeper/out/${file#"$work/one/out/"}
	if cmp -s "$file" "$other"; then
		echo "same       ${file##*/}"
	else
		echo "different  ${file##*/}: diffoscope $file $other says where"
		different=1
	fi
done
exit "$different"
