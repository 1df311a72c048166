#!/bin/sh
# Makes the Debian packages from what packaging/build.sh and packaging/inventory.py have put into OUT.
#
#   build.sh OUT [VERSION]
#
# VERSION is for the tests of upgrades; without it the version is that of the changelog.
set -eu
packaging=$(cd "$(dirname "$0")/.." && pwd -P)
out=$(cd "$1" && pwd -P)
export SOURCE_DATE_EPOCH="${SOURCE_DATE_EPOCH:-$(git -C "$packaging" log -1 --format=%ct)}"
umask 022

work=$out/work/deb/mobileid
rm -rf "$work"
mkdir -p "$work"
cp -R "$packaging/deb" "$work/debian"
cd "$work"
rm debian/build.sh

version=$(dpkg-parsechangelog -S Version)
case $version in
"$(sed -n 's/^version = "\(.*\)"/\1/p' "$packaging/../Cargo.toml" | head -n 1)"-*) ;;
*)
	echo "deb: debian/changelog has $version, Cargo.toml another" >&2
	exit 1
	;;
esac
if [ "${2:-$version}" != "$version" ]; then sed -i "1s/($version)/($2)/" debian/changelog; fi

# One folder for each place in the system; the lists in debian/ say which goes into which package.
mkdir files files/module files/sbin files/tools files/simulator
cp "$out/bin/pam_mobileid.so" files/module/
cp "$out/bin/mobileid-radiusd" files/sbin/
cp "$out/bin/mobileidctl" files/tools/
cp "$out/bin/mobileid-simulator" files/simulator/
cp -R "$packaging/pam-configs" files/
cp "$packaging/radiusd/mobileid-radiusd.service" debian/
cp "$packaging/radiusd/sysusers.conf" debian/mobileid-radiusd.sysusers
install -D -m 0644 "$packaging/radiusd/sysctl.conf" files/sysctl.d/10-mobileid-radiusd.conf
cp "$packaging/radiusd/hand-over" files/

# package <- what is among its examples and documents
examples() {
	package=$1
	shift
	for file; do echo "$file usr/share/doc/$package/examples"; done >> "debian/$package.install"
}
mkdir files/examples
cp "$packaging"/examples/* "$packaging/radiusd/radiusd.toml" "$packaging/radiusd/grafana-dashboard.json" files/examples/
examples libpam-mobileid files/examples/mobileid.toml files/examples/users.toml files/examples/pam.d-sshd \
	files/examples/pam.d-sudo files/examples/sshd-mobileid.conf
examples mobileid-radiusd files/examples/mobileid.toml files/examples/users.toml files/examples/radiusd.toml \
	files/examples/radiusd-addresses.conf files/examples/grafana-dashboard.json
cp -R "$packaging/../docs" files/docs
cp "$packaging/../CHANGELOG.md" "$packaging/../README.md" files/docs/
for package in libpam-mobileid mobileid-radiusd mobileid-tools mobileid-simulator; do
	mkdir "files/$package"
	cp "$out/inventory/$package.txt" "files/$package/THIRD-PARTY.txt"
	cp "$out/inventory/$package.cdx.json" "files/$package/sbom.cdx.json"
	echo "files/$package/*" > "debian/$package.docs"
done
for page in README install configuration directories breakglass enrolment-identity doctor threat-model; do
	if [ -e "files/docs/$page.md" ]; then echo "files/docs/$page.md"; fi
done >> debian/mobileid-tools.docs
echo files/docs/radius.md >> debian/mobileid-radiusd.docs
for package in libpam-mobileid mobileid-radiusd mobileid-tools; do
	cp debian/postrm "debian/$package.postrm"
	cp debian/configuration.dirs "debian/$package.dirs"
done
rm debian/postrm debian/configuration.dirs
sed -i -e "/^#STILL-LOADED#\$/ { r $packaging/still-loaded" -e 'd }' debian/libpam-mobileid.prerm

# Manual pages and completions go by their names to whose they are; pages about the configuration go with the tool
# that checks it.
for page in "$packaging"/man/*.[1-9]; do
	[ -e "$page" ] || continue
	name=${page##*/}
	case $name in
	pam_mobileid.*) package=libpam-mobileid ;;
	mobileid-radiusd.* | radiusd.*) package=mobileid-radiusd ;;
	mobileid-simulator*) package=mobileid-simulator ;;
	*) package=mobileid-tools ;;
	esac
	cp "$page" files/
	echo "files/$name" >> "debian/$package.manpages"
done
for completion in "$packaging"/completions/*; do
	[ -e "$completion" ] || continue
	name=${completion##*/}
	case $name in
	_*) command=${name#_} folder=zsh/vendor-completions as=$name ;;
	*.zsh) command=${name%.zsh} folder=zsh/vendor-completions as=_${name%.zsh} ;;
	*.fish) command=${name%.fish} folder=fish/vendor_completions.d as=$name ;;
	*) command=${name%.bash} folder=bash-completion/completions as=${name%.bash} ;;
	esac
	case $command in
	mobileid-radiusd | mobileid-simulator) package=$command ;;
	mobileidctl) package=mobileid-tools ;;
	*)
		echo "deb: $completion completes none of our commands" >&2
		exit 1
		;;
	esac
	install -D -m 0644 "$completion" "files/completions/$folder/$as"
	echo "files/completions/$folder/$as usr/share/$folder" >> "debian/$package.install"
done

dpkg-buildpackage --build=binary --unsigned-changes --unsigned-buildinfo --no-check-builddeps > ../build.log 2>&1 || {
	cat ../build.log >&2
	exit 1
}
mv ../*.deb "$out/"
