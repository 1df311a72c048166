#!/bin/sh
# Installs what building and testing need and is missing: Debian's packages by apt-get, as root or with
# sudo. Where nothing is missing it touches nothing and needs no network. Rust is only checked for.
set -eu

# The C compiler, libpam's headers and binutils build; the rest is what the tests log in through. The
# browser presses the buttons on the simulator's phone.
packages="
build-essential libpam0g-dev
libpam-modules login passwd openssh-client openssh-server pamtester sudo
util-linux iproute2 openssl curl chromium chromium-driver
"
rust=1.88

if command -v dpkg-query >/dev/null; then
	missing=
	for package in $packages; do
		status=$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null || true)
		[ "$status" = installed ] || missing="$missing $package"
	done
	if [ -n "$missing" ]; then
		echo "deps: installing$missing"
		if [ "$(id -u)" -eq 0 ]; then
			as_root=
		elif command -v sudo >/dev/null; then
			as_root=sudo
		else
			echo "deps: not root, and no sudo: let root run apt-get install$missing" >&2
			exit 1
		fi
		$as_root apt-get update -qq
		# shellcheck disable=SC2086 # one word per package
		$as_root env DEBIAN_FRONTEND=noninteractive \
			apt-get install -y -qq --no-install-recommends $missing
	fi
else
	# Another distribution has other names for them; the commands are what counts.
	for command in cc nm ssh /usr/sbin/sshd sudo su login pamtester unshare nsenter setsid setpriv openssl curl; do
		command -v "$command" >/dev/null || missing="${missing:-} $command"
	done
	if [ -n "${missing:-}" ]; then
		echo "deps: this is no Debian; install what provides:$missing" >&2
		exit 1
	fi
fi

if ! command -v cargo >/dev/null; then
	echo "deps: no cargo. Rust $rust or newer is needed; rustup installs it for you alone" >&2
	exit 1
fi
found=$(rustc --version | cut -d ' ' -f 2)
if [ "$(printf '%s\n%s\n' "$rust" "$found" | sort -V | head -n 1)" != "$rust" ]; then
	echo "deps: Rust $found is too old, $rust or newer is needed: rustup update stable" >&2
	exit 1
fi
