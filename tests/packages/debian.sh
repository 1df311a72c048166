# The Debian packages on a booted Debian, from apt install to apt purge: at every step somebody can log in.

debs() { # FOLDER: into the machine
	rm -rf "$MACHINE/root/debs"
	mkdir "$MACHINE/root/debs"
	cp "$1"/*.deb "$MACHINE/root/debs/"
}

# What the guide says of ssh with a key and the phone.
enable_ssh() {
	cp -p "$MACHINE/etc/pam.d/sshd" "$WORK/pam-sshd"
	sed -i 's/^@include common-auth$/auth required pam_mobileid.so/' "$MACHINE/etc/pam.d/sshd"
	grep -q pam_mobileid "$MACHINE/etc/pam.d/sshd"
	cp "$MACHINE/usr/share/doc/libpam-mobileid/examples/sshd-mobileid.conf" "$MACHINE/etc/ssh/sshd_config.d/mobileid.conf"
	inside systemctl restart ssh
}

disable_ssh() {
	cp -p "$WORK/pam-sshd" "$MACHINE/etc/pam.d/sshd"
	rm "$MACHINE/etc/ssh/sshd_config.d/mobileid.conf"
	inside systemctl restart ssh
}

# Alice confirms, Bob cancels; each is asked once.
phones_decide() {
	before=$(pushes)
	has "$(login alice)" 'granted to alice'
	same $((before + 1)) "$(pushes)"
	has_not "$(login bob)" 'granted'
	same $((before + 2)) "$(pushes)"
	# Or Bob's phone would have a rest after the third time.
	inside mobileidctl pushes clear bob
}

nobody_is_asked() {
	before=$(pushes)
	has "$(login alice)" 'granted to alice'
	has "$(login bob)" 'granted to bob'
	same "$before" "$(pushes)"
}

installed() {
	snapshot > "$WORK/disk-before"
	sha256sum "$MACHINE"/etc/pam.d/* > "$WORK/pam-before"
	# Not every machine lets every unit of Debian's run in it.
	failed_before=$(inside systemctl list-units --failed --no-legend --plain)
	debs "$OUT"
	inside sh -c 'apt-get -qq install -y /root/debs/*.deb'
	same "$failed_before" "$(inside systemctl list-units --failed --no-legend --plain)"
}

install_changes_no_login() {
	same "$(cat "$WORK/pam-before")" "$(sha256sum "$MACHINE"/etc/pam.d/*)"
	has "$(login alice)" 'granted to alice'
	has "$(login alice keyboard-interactive)" 'granted to alice'
}

waits_for_configuration() {
	same enabled "$(inside systemctl is-enabled mobileid-radiusd)"
	same inactive "$(inside systemctl is-active mobileid-radiusd || true)"
	same 'root 755' "$(stat -c '%U %a' "$MACHINE/etc/mobileid")"
	has "$(inside /lib/systemd/systemd-sysctl --cat-config)" '^net.core.rmem_max *='
}

module_is_where_pam_looks() {
	[ -f "$MACHINE/usr/lib/x86_64-linux-gnu/security/pam_mobileid.so" ]
	same 644 "$(stat -c %a "$MACHINE/usr/lib/x86_64-linux-gnu/security/pam_mobileid.so")"
}

no_configuration_is_a_denial() {
	enable_ssh
	has_not "$(login alice)" granted
	disable_ssh
	has "$(login alice)" 'granted to alice'
}

first_steps() {
	simulator
	has "$(inside mobileidctl check 2>&1)" '^sound'
	has "$(inside mobileidctl heartbeat 2>&1)" '^healthy'
	has "$(inside mobileidctl login alice 2>&1)" '^accepted'
}

ssh_by_hand() {
	enable_ssh
	phones_decide
}

profile() {
	disable_ssh
	inside pam-auth-update --enable mobileid
	# After the password, which ends the stack when it is wrong: no phone rings for it.
	has "$(grep -v '^#' "$MACHINE/etc/pam.d/common-auth" | tr -s '\n\t ' ' ')" \
		'pam_deny.so auth required pam_permit.so.* auth required pam_mobileid.so'
	before=$(pushes)
	has "$(login alice keyboard-interactive)" 'granted to alice'
	has "$(cat "$MACHINE/root/asked")" 'assword'
	has "$(cat "$MACHINE/root/asked")" 'Mobile ID: code'
	same $((before + 1)) "$(pushes)"
	sed -i 's/echo right/echo wrong/' "$MACHINE/root/answer"
	said=$(login alice keyboard-interactive)
	sed -i 's/echo wrong/echo right/' "$MACHINE/root/answer"
	has_not "$said" granted
	same $((before + 1)) "$(pushes)"
	inside pam-auth-update --disable mobileid
	same "$(cat "$WORK/pam-before")" "$(sha256sum "$MACHINE"/etc/pam.d/*)"
	has "$(login alice keyboard-interactive)" 'granted to alice'
	same $((before + 1)) "$(pushes)"
}

# What an administrator has changed, and no package may touch.
ours() {
	find "$MACHINE/etc/mobileid" "$MACHINE/etc/pam.d" "$MACHINE/etc/ssh" -type f -exec sha256sum {} + | sort
}

upgraded() {
	version_of 0.1.1-0mobileid1 deb
	enable_ssh
	inside pam-auth-update --enable mobileid
	echo '# changed by hand' >> "$MACHINE/etc/mobileid/mobileid.toml"
	before=$(ours)
	debs "$WORK/0.1.1-0mobileid1"
	inside sh -c 'apt-get -qq install -y /root/debs/*.deb'
	has "$(inside dpkg-query -W libpam-mobileid)" '0\.1\.1'
	same "$before" "$(ours)"
	has "$(cat "$MACHINE/etc/pam.d/common-auth")" pam_mobileid
	phones_decide
}

downgraded() {
	before=$(ours)
	debs "$OUT"
	inside sh -c 'apt-get -qq install -y --allow-downgrades /root/debs/*.deb'
	has "$(inside dpkg-query -W libpam-mobileid)" '0\.1\.0'
	same "$before" "$(ours)"
	phones_decide
}

reinstalled() {
	before=$(ours)
	inside sh -c 'apt-get -qq install -y --reinstall /root/debs/*.deb'
	same "$before" "$(ours)"
	phones_decide
}

# FILE: the removal is refused because of it, and everything is as it was.
refused_because_of() {
	before=$(ours)
	said=$(inside apt-get -o Dpkg::Use-Pty=0 -qq remove -y libpam-mobileid 2>&1 || true)
	has "$said" 'Without the module nobody could log in'
	has "$said" "$1:[0-9]+\$"
	has "$(inside dpkg --status libpam-mobileid)" 'Status: .* installed$'
	same "$before" "$(ours)"
}

removal_is_refused() {
	refused_because_of /etc/pam.d/sshd
	has_not "$said" 'common-auth'
	# A letter of another century makes the file no other.
	sed -i 's/pam_mobileid.so$/& # gepr\xfcft/' "$MACHINE/etc/pam.d/sshd"
	refused_because_of /etc/pam.d/sshd
	# Nor is a line that is not logged when it fails.
	sed -i 's/^auth required pam_mobileid/-&/' "$MACHINE/etc/pam.d/sshd"
	refused_because_of /etc/pam.d/sshd
	sed -i 's/^-auth required pam_mobileid/auth required pam_mobileid/' "$MACHINE/etc/pam.d/sshd"
	phones_decide
}

# The profile is on as well: a removal that is refused has not turned it off.
files_of_ones_own() {
	disable_ssh
	for file in /etc/pam.d/common-mfa /etc/elsewhere; do
		echo 'auth required pam_mobileid.so' > "$MACHINE$file"
		echo '@include /etc/elsewhere' > "$MACHINE/etc/pam.d/example"
		refused_because_of "$file"
		rm "$MACHINE$file" "$MACHINE/etc/pam.d/example"
	done
	has "$(cat "$MACHINE/etc/pam.d/common-auth")" pam_mobileid
}

# Multi-Arch: same. The other architecture's copy is no help to this one's sshd.
second_architecture() {
	mkdir "$WORK/i386"
	dpkg-deb -R "$OUT"/libpam-mobileid_*.deb "$WORK/i386/package"
	sed -i -e 's/^Architecture: .*/Architecture: i386/' -e '/^Depends:/d' "$WORK/i386/package/DEBIAN/control"
	dpkg-deb -b "$WORK/i386/package" "$MACHINE/root/i386.deb"
	inside dpkg --add-architecture i386
	inside dpkg -i /root/i386.deb
	before=$(ours)
	said=$(inside dpkg --remove "libpam-mobileid:$(dpkg --print-architecture)" 2>&1 || true)
	has "$said" '/etc/pam.d/common-auth:[0-9]+$'
	same "$before" "$(ours)"
	inside dpkg --purge libpam-mobileid:i386
	inside dpkg --remove-architecture i386
	rm "$MACHINE/root/i386.deb" "$MACHINE/var/lib/dpkg/arch"
	same "$before" "$(ours)"
	has "$(login alice keyboard-interactive)" 'granted to alice'
}

# pam-auth-update leaves common-auth alone where somebody has written all of it.
edited_common_auth() {
	cp -p "$MACHINE/etc/pam.d/common-auth" "$WORK/common-auth"
	sed -i '/^#/d' "$MACHINE/etc/pam.d/common-auth"
	refused_because_of /etc/pam.d/common-auth
	has "$(login alice keyboard-interactive)" 'granted to alice'
	cp -p "$WORK/common-auth" "$MACHINE/etc/pam.d/common-auth"
}

# Without its packages' configuration the profile goes too, and the password alone lets in again.
removed_while_enabled() {
	inside pam-auth-update --enable mobileid
	# It keeps the files before it as .pam-old, which nobody logs in through.
	inside pam-auth-update --force
	has "$(cat "$MACHINE/etc/pam.d/common-auth")" pam_mobileid
	inside apt-get -o Dpkg::Use-Pty=0 -qq remove -y libpam-mobileid
	rm "$MACHINE"/etc/pam.d/common-*.pam-old
	same "$(cat "$WORK/pam-before")" "$(sha256sum "$MACHINE"/etc/pam.d/*)"
	has "$(login alice keyboard-interactive)" 'granted to alice'
	[ -e "$MACHINE/etc/mobileid/client.key" ]
}

# One package is purged, others still need what it shares with them.
shared_until_the_last() {
	inside apt-get -o Dpkg::Use-Pty=0 -qq purge -y libpam-mobileid
	[ -e "$MACHINE/etc/mobileid/client.key" ]
	has "$(inside mobileidctl check 2>&1)" '^sound'
}

purged() {
	inside systemctl stop simulator
	inside apt-get -o Dpkg::Use-Pty=0 -qq purge -y mobileid-radiusd mobileid-tools mobileid-simulator
	same '' "$(inside find /run -name 'mobileid*')"
	same "$(cat "$WORK/disk-before")" "$(snapshot)"
	has "$(login alice)" 'granted to alice'
}

machine debian
boot
story 'apt install ./*.deb, without a network' installed
story 'installing changes no login' install_changes_no_login
story 'the service is enabled and waits for its configuration' waits_for_configuration
story 'the module is where PAM looks, for its architecture' module_is_where_pam_looks
story 'without a configuration the module denies, and taking its line out is the way back' no_configuration_is_a_denial
story 'check, heartbeat and a first login by mobileidctl' first_steps
story 'ssh with a key: Alice confirms and is in, Bob cancels and is not' ssh_by_hand
story 'pam-auth-update --enable: password, then phone; none rings for a wrong password; --disable undoes it' profile
story 'an upgrade keeps what was changed by hand, and logins work' upgraded
story 'a downgrade does, too' downgraded
story 'installing the same again does, too' reinstalled
story 'removal is refused while a file of PAM loads the module' removal_is_refused
story 'also while one of its own, or one that it includes, does; the profile stays on' files_of_ones_own
story 'also of one architecture, while the other stays' second_architecture
story 'also while common-auth does, where it is not written by pam-auth-update any more' edited_common_auth
story 'removal while the profile is on takes it out, and the password lets in' removed_while_enabled
story 'what packages share stays until the last of them is purged' shared_until_the_last
story 'purged, the disk is as it was before' purged
halt
