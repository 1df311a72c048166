#!/bin/sh
# The part of `make test` that is about packages: those that are made of what `make build` has built, and their stories.
#
#   quick.sh BUILT AS_ROOT...
#
# BUILT is cargo's folder of the dev profile; AS_ROOT is how root is become, nothing where we are root. Where a tool is
# missing nothing is tested, and that is said: another distribution has them under other names, or not at all.
set -eu
built=$(cd "$1" && pwd -P)
shift
tests=$(dirname "$0")
packaging=$tests/../../packaging
for tool in dpkg-buildpackage dh lintian rpmbuild rpmlint debootstrap systemd-nspawn systemd-analyze checkmodule; do
	if ! PATH=$PATH:/usr/sbin:/sbin command -v "$tool" > /dev/null; then
		echo "packages: nothing about them was tested: $tool is not here"
		exit 0
	fi
done

out=$built/packages
mkdir -p "$out/bin"
# Whose tests come at the same time finds the programs of one build.
exec 9> "$out/lock"
flock --wait 1800 9
strip --strip-unneeded -o "$out/bin/pam_mobileid.so" "$built/libpam_mobileid.so"
chmod 0644 "$out/bin/pam_mobileid.so"
for program in mobileid-radiusd mobileidctl mobileid-simulator; do
	strip -o "$out/bin/$program" "$built/$program"
done
/usr/bin/python3 "$packaging/inventory.py" "$out"
rm -f "$out"/*.deb "$out"/*.rpm
# They are thrown away: packed fast, not small.
export PACKING=fast
"$packaging/deb/build.sh" "$out"
"$packaging/rpm/build.sh" "$out"
rm -rf "$out/work"
"$@" env PACKING=fast "$tests/run.sh" --quick "$out" "$built/test-packages"
