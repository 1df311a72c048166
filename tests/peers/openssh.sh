#!/bin/sh
# Builds the first OpenSSH that shows information while it waits, beside Debian's own, which is older. Debian's
# archive has the source; the checksum stands below. It goes beside the build's output, is used by the tests
# alone, and is never installed. Where the archive is out of reach the tests that want it are not run, and this
# says so. The argument is the folder of the build's output.
set -eu

version=10.3p1
sha256=56682a36bb92dcf4b4f016fd8ec8e74059b79a8de25c15d670d731e7d18e45f4
source=openssh_$version.orig.tar.gz
programs="sshd sshd-session sshd-auth"

mkdir -p "$1"
output=$(cd "$1" && pwd)
built=$output/openssh
[ "$(cat "$built/version" 2>/dev/null)" = "$version" ] && exit 0

# From whichever archive this machine is set up for, with apt's own client and its settings.
fetch() {
	[ -x /usr/lib/apt/apt-helper ] || return 1
	for site in $(apt-get indextargets --format '$(SITE)' | sort -u); do
		/usr/lib/apt/apt-helper -q -o Acquire::http::Timeout=10 -o Acquire::Retries=0 \
			download-file "$site/pool/main/o/openssh/$source" "$source" "SHA256:$sha256" >>log 2>&1 && return 0
	done
	return 1
}

# No cryptography but its own, which is all that one client needs, and no manual pages, so that it is quick.
compile() {
	tar -xzf "$source" --strip-components=1
	./configure --without-openssl --without-zlib --without-hardening --disable-security-key --disable-pkcs11 \
		--with-pam --with-privsep-path=/run/sshd --sysconfdir=/etc/ssh CFLAGS=-O0
	# shellcheck disable=SC2086 # one word per program
	make -j "$(nproc)" $programs
}

work=$(mktemp -d "$output/openssh.XXXXXX")
trap 'rm -rf "$work"' EXIT
cd "$work"
if ! fetch; then
	echo "deps: OpenSSH $version CANNOT BE HAD (no archive of Debian's gives $source):" >&2
	echo "deps: the tests of logins with it are ignored, and make test counts them" >&2
	exit 0
fi
echo "deps: building OpenSSH $version into $built"
if ! compile >>log 2>&1; then
	tail -n 20 log >&2
	echo "deps: OpenSSH $version does not build" >&2
	exit 1
fi
rm -rf "$built"
mkdir "$built"
# shellcheck disable=SC2086 # one word per program
mv $programs "$built"
echo "$version" > "$built/version"
