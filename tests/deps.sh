#!/bin/sh
# Installs what building and testing need and is missing: Debian's packages by apt-get, as root or with
# sudo, and beside the build's output one client library for Python and one OpenSSH. Where nothing is missing it
# touches nothing and needs no network. Rust is only checked for. Arguments are more packages; `--demo` is for less, what
# building and the demonstration need.
set -eu

# The C compiler, libpam's headers and binutils build; the rest is what one logs in through.
packages="
build-essential libpam0g-dev
libpam-modules login passwd openssh-client openssh-server sudo
util-linux iproute2 openssl freeradius-utils
"
commands="cc nm ssh /usr/sbin/sshd sudo su login unshare nsenter setsid setpriv openssl radclient"
if [ "${1:-}" = --demo ]; then
	for_tests=
else
	for_tests=yes
	# The browser presses the buttons on the simulator's phone, and the last two check the manual's pages.
	packages="$packages
pamtester curl chromium chromium-driver
freeradius libpam-radius-auth eapoltest python3 python3-pip
slapd ldap-utils
groff-base mandoc
$*
"
	commands="$commands pamtester curl freeradius radtest eapol_test python3 slapd slapadd"
fi
rust=$(sed -n 's/^rust-version = "\(.*\)"$/\1/p' "$(dirname "$0")/../Cargo.toml")

# A package that brings a server starts it, and again whenever the machine starts. The tests start their own:
# the first is prevented by the policy that Debian has for this, the second by a mask, which
# `systemctl unmask freeradius slapd` takes off.
# shellcheck disable=SC2016 # root's shell is to expand it
install='
set -eu
policy=/usr/sbin/policy-rc.d
if [ ! -e "$policy" ]; then
	trap "rm -f $policy" EXIT
	printf "#!/bin/sh\nexit 101\n" > "$policy"
	chmod 755 "$policy"
fi
for server in freeradius slapd; do
	case " $* " in *" $server "*)
		if command -v systemctl >/dev/null; then systemctl --quiet mask "$server.service"; fi
	esac
done
apt-get update -qq
DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@"
'

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
		# shellcheck disable=SC2086 # one word per package
		$as_root sh -c "$install" install $missing
	fi
else
	# Another distribution has other names for them; the commands are what counts.
	for command in $commands; do
		command -v "$command" >/dev/null || missing="${missing:-} $command"
	done
	if [ -n "${missing:-}" ]; then
		echo "deps: this is no Debian; install what provides:$missing" >&2
		exit 1
	fi
fi

if [ "$for_tests" ]; then
	# Debian's pyrad is older than Message-Authenticator in its client. This one goes beside the build's output and
	# is seen by nobody else; its hashes stand in the list.
	peers=$(dirname "$0")/peers
	wanted=$(cksum < "$peers/requirements.txt")
	library=${CARGO_TARGET_DIR:-target}/pyrad
	if [ "$(cat "$library/requirements.cksum" 2>/dev/null)" != "$wanted" ]; then
		echo "deps: installing pyrad into $library"
		rm -rf "$library"
		/usr/bin/python3 -m pip install --quiet --disable-pip-version-check --root-user-action=ignore --no-deps \
			--only-binary :all: --require-hashes --requirement "$peers/requirements.txt" --target "$library"
		echo "$wanted" > "$library/requirements.cksum"
	fi
	# Debian's OpenSSH is older than the one that shows information while it waits; the tests log in through both.
	sh "$peers/openssh.sh" "${CARGO_TARGET_DIR:-target}"
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
