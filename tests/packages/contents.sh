# What is in the packages, without installing them.

debs_are_clean() {
	lintian --allow-root --fail-on error,warning "$OUT"/*.deb
}

rpms_are_clean() {
	said=$(rpmlint --config "$root/packaging/rpm/rpmlint.toml" "$OUT"/*.rpm "$root/packaging/rpm/mobileid.spec" 2>&1)
	has "$said" ' 0 errors, 0 warnings'
	has "$said" '^ 4 packages and 1 specfiles checked'
}

# Every page and completion is in one package, under the name it is looked for.
manual_is_whole() {
	inside_deb=$(for package in "$OUT"/*.deb; do dpkg-deb --contents "$package"; done)
	inside_rpm=$(rpm --query --list --package "$OUT"/*.rpm)
	for page in "$root"/packaging/man/*; do
		page=/usr/share/man/man${page##*.}/${page##*/}.gz
		has "$inside_deb" "$page\$"
		has "$inside_rpm" "^$page\$"
	done
	for guide in install troubleshooting migration recipes/README recipes/fortigate; do
		has "$inside_deb" "/usr/share/doc/mobileid-tools/$guide\.md(\.gz)?\$"
		has "$inside_rpm" "^/usr/share/doc/mobileid-tools/$guide\.md\$"
	done
	for command in mobileidctl mobileid-radiusd mobileid-simulator; do
		for completion in bash-completion/completions/$command fish/vendor_completions.d/$command.fish; do
			has "$inside_deb" "/usr/share/$completion\$"
			has "$inside_rpm" "^/usr/share/$completion\$"
		done
		has "$inside_deb" "/usr/share/zsh/vendor-completions/_$command\$"
		has "$inside_rpm" "^/usr/share/zsh/site-functions/_$command\$"
	done
}

# All that the packages carry, uncompressed, in $WORK/unpacked: for each package a folder.
unpack() {
	for package in "$OUT"/*.deb "$OUT"/*.rpm; do
		mkdir -p "$WORK/unpacked/${package##*/}"
		case $package in
		*.deb) dpkg-deb --extract "$package" "$WORK/unpacked/${package##*/}" ;;
		*.rpm) rpm2cpio "$package" | (cd "$WORK/unpacked/${package##*/}" && cpio --quiet -idmu) ;;
		esac
	done
	same '' "$(find "$WORK"/unpacked/*/etc -type f)"
	same '' "$(find "$WORK/unpacked" -mindepth 2 \( -perm /022 -o -perm /6000 \) ! -type l)"
	find "$WORK/unpacked" -type f -name '*.gz' -exec gunzip --force {} +
}

# A later change of what is packaged must not bring anything along by accident.
nothing_secret() {
	same '' "$(grep -rlE --binary-files=without-match -e '-----BEGIN [A-Z ]*PRIVATE KEY' "$WORK/unpacked")"
}

# Where it had what. What it is called, and what day it was, would show when packed twice, below.
nothing_of_the_builder() {
	if [ -n "$quick" ]; then
		# The programs of the dev profile name where they were built.
		find "$WORK/unpacked" \( -name pam_mobileid.so -o -path '*bin/mobileid*' \) -delete
	fi
	same '' "$(grep -rlE -e "(^|[^[:alnum:]_.-])$root/(src|pam|cli|radius|simulator|packaging|docs|target)/" \
		-e "${HOME:-/root}/\.(cargo|rustup)" "$WORK/unpacked")"
}

old_libraries_do() {
	for program in "$OUT"/bin/*; do
		newest=$(objdump -T "$program" | grep -o 'GLIBC_[0-9.]*' | sort -Vu | tail -n 1)
		has "$newest" '^GLIBC_2\.[0-9]+$'
		# RHEL 9's.
		same GLIBC_2.34 "$(printf '%s\n' GLIBC_2.34 "$newest" | sort -V | tail -n 1)"
	done
}

module_is_small() {
	size=$(stat -c %s "$OUT/bin/pam_mobileid.so")
	[ "$size" -lt 2600000 ] || { echo "$size octets"; return 1; }
}

# What is compiled in leaves its name in a program's messages, in those of the dev profile at least.
inventories_are_whole() {
	for pair in libpam-mobileid:pam_mobileid.so mobileid-radiusd:mobileid-radiusd mobileid-tools:mobileidctl \
		mobileid-simulator:mobileid-simulator; do
		strings "$OUT/bin/${pair#*:}" | grep -oE '/(registry/src/[^/]+|src/crates)/[^/]+' | sed 's,.*/,,' | sort -u > "$WORK/crates"
		/usr/bin/python3 - "$OUT/inventory/${pair%:*}.cdx.json" "$root/Cargo.lock" "$WORK/crates" <<'PYTHON'
import json, sys, tomllib
bill, lock = json.load(open(sys.argv[1])), tomllib.load(open(sys.argv[2], "rb"))
seen = set(open(sys.argv[3]).read().split())
assert bill["bomFormat"] == "CycloneDX" and bill["specVersion"] == "1.5", bill.keys()
names = {component["name"] for component in bill["components"]}
assert {"ring", "rustls-pki-types", "rust-std"} <= names, names
assert all(component["licenses"] for component in bill["components"])
own = bill["metadata"]["component"]["bom-ref"]
refs = {component["bom-ref"] for component in bill["components"]} | {own}
needs = {dependency["ref"]: dependency["dependsOn"] for dependency in bill["dependencies"]}
reached, ahead = set(), [own]
while ahead:
    ref = ahead.pop()
    if ref not in reached:
        reached.add(ref)
        ahead += needs.get(ref, [])
assert {ref for ref in refs if "/rust-std@" not in ref} == reached, refs ^ reached
locked = {(p["name"], p["version"]): p.get("checksum") for p in lock["package"]}
for component in bill["components"]:
    if component["name"] != "rust-std":
        hashes = [h["content"] for h in component.get("hashes", [])] or [None]
        assert hashes == [locked[component["name"], component["version"]]], component
# All that is seen, and nothing that is not compiled in: no macros, no build scripts' helpers, nothing of the tests.
assert len(seen) > 10, seen
listed = {f"{component['name']}-{component['version']}" for component in bill["components"]}
assert seen <= listed, seen - listed
assert not names & {"syn", "quote", "cc", "serde_derive", "pretty_assertions"}, names
PYTHON
	done
}

# The samples as they are printed. What must differ is what Swisscom gives to each customer: here, the simulator. The folder
# of state is made by systemd when it starts the service.
samples_are_sound() {
	folder=$WORK/samples
	mkdir -p -m 755 "$folder/trust"
	mkdir -m 700 "$WORK/state"
	"$OUT/bin/mobileid-simulator" --listen 127.0.0.1:0 --phone 127.0.0.1:0 --state "$WORK/phone" > "$WORK/ready" 2>&1 &
	simulator=$!
	tries=0
	until grep -qs '^ready ' "$WORK/ready"; do
		tries=$((tries + 1))
		[ "$tries" -lt 200 ] && kill -0 "$simulator"
		sleep 0.1
	done
	kill "$simulator"
	cp "$root"/packaging/examples/*.toml "$root/packaging/radiusd/radiusd.toml" "$WORK/phone/client.crt" "$folder/"
	install -m 600 "$WORK/phone/client.key" "$folder/client.key"
	cp "$WORK/phone/signer-anchors.pem" "$folder/trust/"
	(umask 077 && echo 6f9a0c7d3b8e41f2a5d6c7b8 > "$folder/vpn.secret")
	sed -i "1i state_dir = \"$WORK/state\"" "$folder/radiusd.toml"
	"$OUT/bin/mobileidctl" check --config "$folder/mobileid.toml"
	"$OUT/bin/mobileid-radiusd" --check --config "$folder/radiusd.toml"
}

# How far the unit shuts its process in, by systemd's own count: the lower the better, naive is 9.2.
unit_is_confined() {
	systemd-analyze security --offline=yes --threshold=13 "$root/packaging/radiusd/mobileid-radiusd.service"
}

policy_compiles() {
	checkmodule -M -m -o "$WORK/mobileid.mod" "$root/packaging/selinux/mobileid.te"
	semodule_package -o "$WORK/mobileid.pp" -m "$WORK/mobileid.mod" -f "$root/packaging/selinux/mobileid.fc"
}

# The same programs packed twice, from two folders, by two builders with habits of their own, on hosts of two names and on
# two days. reproducible.sh builds the programs twice, too.
packing_is_reproducible() {
	rm -rf "$WORK/unpacked"
	mkdir -p "$WORK/sources" "$WORK/one" "$WORK/two/elsewhere" "$WORK/tomorrow"
	for file in packaging docs CHANGELOG.md README.md LICENSE Cargo.toml; do
		cp -R "$root/$file" "$WORK/sources/"
		cp -R "$WORK/sources/$file" "$WORK/two/elsewhere/"
	done
	for out in one two; do ln -s "$OUT/bin" "$OUT/inventory" "$WORK/$out/"; done
	cat > "$WORK/tomorrow/date" <<'DATE'
#!/bin/sh
case " $* " in *' -d'* | *' --date'* | *' -r'*) exec /bin/date "$@" ;; esac
exec /bin/date --date=tomorrow "$@"
DATE
	printf '#!/bin/sh\necho another.host.invalid\n' > "$WORK/tomorrow/hostname"
	chmod 755 "$WORK/tomorrow/date" "$WORK/tomorrow/hostname"
	export SOURCE_DATE_EPOCH=1790000000
	for kind in deb rpm; do
		"$WORK/sources/packaging/$kind/build.sh" "$WORK/one"
		(umask 077 && PATH=$WORK/tomorrow:$PATH TZ=Asia/Tokyo LC_ALL=C "$WORK/two/elsewhere/packaging/$kind/build.sh" "$WORK/two")
	done
	same 8 "$(find "$WORK/one" -maxdepth 1 -name '*.deb' -o -maxdepth 1 -name '*.rpm' | wc -l)"
	for package in "$WORK"/one/*.deb "$WORK"/one/*.rpm; do cmp "$package" "$WORK/two/${package##*/}"; done
}

story 'lintian has nothing to say' debs_are_clean
story 'rpmlint has nothing to say' rpms_are_clean
story 'the whole manual and all completions are in them' manual_is_whole
story 'no configuration, nothing that others may write' unpack
story 'no key' nothing_secret
story "no path of the builder's" nothing_of_the_builder
story 'the programs run with the libc of RHEL 9' old_libraries_do
if [ -z "$quick" ]; then story 'the module is below 2.6 MB' module_is_small; fi
story 'the bills of materials name what is compiled in, and nothing else' inventories_are_whole
story 'the samples are sound' samples_are_sound
story 'systemd-analyze security: 1.3 or better' unit_is_confined
story 'the policy for SELinux compiles' policy_compiles
story 'packed in two folders, the packages are the same to the byte' packing_is_reproducible
