#!/bin/sh
# Makes the RPM packages from what packaging/build.sh and packaging/inventory.py have put into OUT.
#
#   build.sh OUT [VERSION]
#
# VERSION is for the tests of upgrades; without it the version is that of Cargo.toml.
set -eu
packaging=$(cd "$(dirname "$0")/.." && pwd -P)
out=$(cd "$1" && pwd -P)
. "$packaging/dated"
version=${2:-$(sed -n 's/^version = "\(.*\)"/\1/p' "$packaging/../Cargo.toml" | head -n 1)}
umask 022
payload=w19.zstdio
if [ "${PACKING:-}" = fast ]; then payload=w1.zstdio; fi

work=$out/work/rpm
rm -rf "$work"
files=$work/files
scripts=$work/scripts
mkdir -p "$files" "$scripts"
for script in "$packaging"/rpm/scripts/*; do
	sed -e "/^#STILL-LOADED#\$/ { r $packaging/still-loaded" -e 'd }' "$script" > "$scripts/${script##*/}"
done

put() { install -D -m "$1" "$2" "$files$3"; }
mkdir -p "$files/etc/mobileid/trust"
put 0755 "$out/bin/pam_mobileid.so" /usr/lib64/security/pam_mobileid.so
put 0755 "$out/bin/mobileid-radiusd" /usr/sbin/mobileid-radiusd
put 0755 "$out/bin/mobileidctl" /usr/bin/mobileidctl
put 0755 "$out/bin/mobileid-simulator" /usr/bin/mobileid-simulator
put 0755 "$packaging/radiusd/hand-over" /usr/libexec/mobileid-radiusd/hand-over
put 0644 "$packaging/radiusd/mobileid-radiusd.service" /usr/lib/systemd/system/mobileid-radiusd.service
put 0644 "$packaging/radiusd/sysusers.conf" /usr/lib/sysusers.d/mobileid-radiusd.conf
put 0644 "$packaging/radiusd/sysctl.conf" /usr/lib/sysctl.d/10-mobileid-radiusd.conf

# doc PACKAGE FILE [FOLDER]: a document of the package; rpm knows them by %doc.
doc() {
	put 0644 "$2" "/usr/share/doc/$1/${3:+$3/}${2##*/}"
	echo "%doc /usr/share/doc/$1/${3:+$3/}${2##*/}" >> "$scripts/$1.files"
}
for package in pam_mobileid mobileid-radiusd mobileid-tools mobileid-simulator; do
	inventory=$out/inventory/$package
	if [ "$package" = pam_mobileid ]; then inventory=$out/inventory/libpam-mobileid; fi
	echo "%dir /usr/share/doc/$package" >> "$scripts/$package.files"
	echo "%dir /usr/share/licenses/$package" >> "$scripts/$package.files"
	put 0644 "$inventory.txt" "/usr/share/licenses/$package/THIRD-PARTY.txt"
	put 0644 "$packaging/../LICENSE" "/usr/share/licenses/$package/LICENSE"
	echo "%license /usr/share/licenses/$package/*" >> "$scripts/$package.files"
	put 0644 "$inventory.cdx.json" "/usr/share/doc/$package/sbom.cdx.json"
	echo "%doc /usr/share/doc/$package/sbom.cdx.json" >> "$scripts/$package.files"
	doc "$package" "$packaging/../CHANGELOG.md"
done
for package in pam_mobileid mobileid-radiusd; do
	echo "%dir /usr/share/doc/$package/examples" >> "$scripts/$package.files"
	doc "$package" "$packaging/examples/mobileid.toml" examples
	doc "$package" "$packaging/examples/users.toml" examples
done
doc pam_mobileid "$packaging/rpm/README.Fedora"
doc pam_mobileid "$packaging/examples/sshd-mobileid.conf" examples
echo "%dir /usr/share/doc/pam_mobileid/selinux" >> "$scripts/pam_mobileid.files"
doc pam_mobileid "$packaging/selinux/mobileid.te" selinux
doc pam_mobileid "$packaging/selinux/mobileid.fc" selinux
for example in "$packaging/radiusd/radiusd.toml" "$packaging/radiusd/grafana-dashboard.json" \
	"$packaging/examples/radiusd-addresses.conf"; do
	doc mobileid-radiusd "$example" examples
done

. "$packaging/whose"
package_of() { case $1 in module) echo pam_mobileid ;; *) echo "mobileid-$1" ;; esac; }
doc mobileid-tools "$packaging/../README.md"
for guide in "$packaging"/../docs/*.md; do
	whose=$(guide_of "${guide##*/}")
	if [ -n "$whose" ]; then doc "$(package_of "$whose")" "$guide"; fi
done
echo "%dir /usr/share/doc/mobileid-tools/recipes" >> "$scripts/mobileid-tools.files"
for recipe in "$packaging"/../docs/recipes/*.md; do doc mobileid-tools "$recipe" recipes; done
for page in "$packaging"/man/*.[1-9]; do
	[ -e "$page" ] || continue
	installed=/usr/share/man/man${page##*.}/${page##*/}
	put 0644 "$page" "$installed"
	gzip -9n "$files$installed"
	echo "%doc $installed.gz" >> "$scripts/$(package_of "$(page_of "${page##*/}")").files"
done
for completion in "$packaging"/completions/*; do
	[ -e "$completion" ] || continue
	found=$(completion_of "${completion##*/}")
	read -r whose shell name <<-FOUND
		$found
	FOUND
	case $shell in
	bash) folder=/usr/share/bash-completion/completions ;;
	zsh) folder=/usr/share/zsh/site-functions ;;
	fish) folder=/usr/share/fish/vendor_completions.d ;;
	esac
	put 0644 "$completion" "$folder/$name"
	echo "$folder/$name" >> "$scripts/$(package_of "$whose").files"
done

# What Fedora's rpm knows and Debian's does not: its folders, and how it compresses. The programs are stripped already,
# and %dist is left out: one build serves Fedora and RHEL 9.
rpmbuild -bb --quiet --target "$(uname -m)" \
	--define "_topdir $work" --define "_rpmdir $work/out" --define "stage $files" --define "scripts $scripts" \
	--define "package_version $version" \
	--define "licences_of() %(cat '$out'/inventory/%1.licences)" \
	--define '_libdir /usr/lib64' --define '_libexecdir /usr/libexec' --define '_unitdir /usr/lib/systemd/system' \
	--define '_sysusersdir /usr/lib/sysusers.d' --define '_sysctldir /usr/lib/sysctl.d' --define '_sysconfdir /etc' \
	--define 'debug_package %{nil}' --define '__os_install_post %{nil}' --define '_build_id_links none' \
	--define "_binary_payload $payload" --define '_buildhost mobileid.invalid' --define 'dist %{nil}' \
	--define 'packager The mobileid contributors <maintainers@mobileid.invalid>' \
	--define 'use_source_date_epoch_as_buildtime 1' --define 'clamp_mtime_to_source_date_epoch 1' \
	"$packaging/rpm/mobileid.spec"
mv "$work"/out/*/*.rpm "$out/"
