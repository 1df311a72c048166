#!/bin/sh
# Makes the Debian packages from what packaging/build.sh and packaging/inventory.py have put into OUT.
#
#   build.sh OUT [VERSION]
#
# VERSION is for the tests of upgrades; without it the version is that of the changelog.
set -eu
packaging=$(cd "$(dirname "$0")/.." && pwd -P)
out=$(cd "$1" && pwd -P)
. "$packaging/dated"
umask 022
# What whoever builds likes otherwise would make other packages. PACKING=fast is for those that are thrown away.
unset DEB_BUILD_OPTIONS DEB_BUILD_PROFILES DPKG_DEB_COMPRESSOR_TYPE DPKG_DEB_COMPRESSOR_LEVEL
if [ "${PACKING:-}" = fast ]; then export DPKG_DEB_COMPRESSOR_TYPE=gzip DPKG_DEB_COMPRESSOR_LEVEL=1; fi

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
for package in libpam-mobileid mobileid-radiusd mobileid-tools; do
	cp debian/postrm "debian/$package.postrm"
	cp debian/configuration.dirs "debian/$package.dirs"
done
rm debian/postrm debian/configuration.dirs
sed -i -e "/^#STILL-LOADED#\$/ { r $packaging/still-loaded" -e 'd }' debian/libpam-mobileid.prerm

. "$packaging/whose"
package_of() { case $1 in module) echo libpam-mobileid ;; *) echo "mobileid-$1" ;; esac; }
for page in "$packaging"/man/*.[1-9]; do
	[ -e "$page" ] || continue
	cp "$page" files/
	echo "files/${page##*/}" >> "debian/$(package_of "$(page_of "${page##*/}")").manpages"
done
for guide in files/docs/*.md; do
	whose=$(guide_of "${guide##*/}")
	case ${guide##*/} in CHANGELOG.md) continue ;; esac
	if [ -n "$whose" ]; then echo "$guide" >> "debian/$(package_of "$whose").docs"; fi
done
echo "files/docs/recipes usr/share/doc/mobileid-tools" >> debian/mobileid-tools.install
for completion in "$packaging"/completions/*; do
	[ -e "$completion" ] || continue
	found=$(completion_of "${completion##*/}")
	read -r whose shell name <<-FOUND
		$found
	FOUND
	case $shell in
	bash) folder=usr/share/bash-completion/completions ;;
	zsh) folder=usr/share/zsh/vendor-completions ;;
	fish) folder=usr/share/fish/vendor_completions.d ;;
	esac
	install -D -m 0644 "$completion" "files/$folder/$name"
	echo "files/$folder/$name $folder" >> "debian/$(package_of "$whose").install"
done

dpkg-buildpackage --build=binary --unsigned-changes --unsigned-buildinfo --no-check-builddeps > ../build.log 2>&1 || {
	cat ../build.log >&2
	exit 1
}
mv ../*.deb "$out/"
