# The RPM packages, as far as Debian's rpm tells: in a tree of its own, whose shell runs the scripts. What rpm is told to
# leave out are the dependencies, which have names that only Fedora and RHEL know.

rpm_in() { limited 180 rpm --root "$MACHINE" --dbpath /var/lib/rpm-of-the-test "$@"; }
# Debian's rpm asks for this before it changes anything.
change() { rpm_in --force-debian --nodeps "$@"; }

# Fedora's stack, in short; there is no authselect here.
stack() {
	printf 'auth required %s\naccount required pam_permit.so\n' "$1" > "$MACHINE/etc/pam.d/example"
}

rpms_install() {
	# Folders of Fedora that Debian has not, and that no package of ours owns.
	mkdir -p "$MACHINE"/usr/lib64/security "$MACHINE"/usr/share/licenses "$MACHINE"/usr/share/zsh/site-functions \
		"$MACHINE"/usr/share/fish/vendor_completions.d "$MACHINE"/usr/share/bash-completion/completions "$MACHINE"/usr/libexec
	snapshot > "$WORK/disk-before"
	mkdir -p "$MACHINE/var/lib/rpm-of-the-test"
	# In the place of systemd's; Debian has none.
	printf '#!/bin/sh\necho "$@" >> /root/systemd-was-told\n' > "$MACHINE/usr/lib/systemd/systemd-update-helper"
	chmod 755 "$MACHINE/usr/lib/systemd/systemd-update-helper"
	find "$MACHINE/etc/pam.d" -type f -exec sha256sum {} + | sort > "$WORK/pam-before"
	change --install "$OUT"/*.rpm
	same 4 "$(rpm_in --query --all | wc -l)"
	same "$(cat "$WORK/pam-before")" "$(find "$MACHINE/etc/pam.d" -type f -exec sha256sum {} + | sort)"
	rpm_in --verify --nodeps --all
}

are_where_fedora_has_them() {
	for file in /usr/lib64/security/pam_mobileid.so /usr/sbin/mobileid-radiusd /usr/bin/mobileidctl \
		/usr/bin/mobileid-simulator /usr/lib/systemd/system/mobileid-radiusd.service \
		/usr/lib/sysusers.d/mobileid-radiusd.conf /usr/share/doc/pam_mobileid/selinux/mobileid.te \
		/usr/share/licenses/pam_mobileid/LICENSE; do
		[ -e "$MACHINE$file" ] || { echo "no $file"; return 1; }
	done
	same 'root 755' "$(stat -c '%U %a' "$MACHINE/usr/lib64/security/pam_mobileid.so")"
	has "$(cat "$MACHINE/etc/passwd")" '^mobileid-radiusd:'
	same "$(rpm_in --query --whatprovides /etc/mobileid | sort)" "$(rpm_in --query pam_mobileid mobileid-radiusd mobileid-tools | sort)"
}

programs_run() {
	has "$(limited 60 chroot "$MACHINE" mobileidctl --version)" '^mobileidctl '
	has "$(limited 60 chroot "$MACHINE" mobileid-radiusd --check 2>&1 || true)" 'radiusd.toml: .*No such file'
}

rpms_upgrade_and_back() {
	version_of 0.1.1 rpm
	echo '# mine' > "$MACHINE/etc/mobileid/mobileid.toml"
	stack /usr/lib64/security/pam_mobileid.so
	change --upgrade "$WORK"/0.1.1/*.rpm
	has "$(rpm_in --query pam_mobileid)" '0\.1\.1'
	same '# mine' "$(cat "$MACHINE/etc/mobileid/mobileid.toml")"
	change --upgrade --oldpackage "$OUT"/*.rpm
	has "$(rpm_in --query pam_mobileid)" '0\.1\.0'
	same '# mine' "$(cat "$MACHINE/etc/mobileid/mobileid.toml")"
}

erase_is_refused() {
	stack /usr/lib64/security/pam_mobileid.so
	said=$(change --erase pam_mobileid 2>&1 || true)
	has "$said" '/etc/pam.d/example:1$'
	has "$(rpm_in --query pam_mobileid)" '^pam_mobileid-0'
	[ -e "$MACHINE/usr/lib64/security/pam_mobileid.so" ]
}

systemd_is_told() {
	service=mobileid-radiusd.service
	same "install-system-units $service
mark-restart-system-units $service
mark-restart-system-units $service" "$(cat "$MACHINE/root/systemd-was-told")"
}

erased() {
	rm "$MACHINE/etc/pam.d/example" "$MACHINE/etc/mobileid/mobileid.toml"
	change --erase pam_mobileid mobileid-radiusd mobileid-tools mobileid-simulator
	has "$(tail -n 1 "$MACHINE/root/systemd-was-told")" '^remove-system-units mobileid-radiusd.service$'
	rm "$MACHINE/usr/lib/systemd/systemd-update-helper"
	rm -r "$MACHINE/var/lib/rpm-of-the-test"
	# The user stays, as everywhere in Fedora: its number must not come to belong to somebody else.
	limited 60 chroot "$MACHINE" userdel mobileid-radiusd
	same "$(cat "$WORK/disk-before")" "$(snapshot)"
}

machine fedora
story 'rpm --install, and PAM is as it was' rpms_install
story 'everything is where Fedora has it' are_where_fedora_has_them
story 'the programs run' programs_run
story 'upgrade and downgrade keep the configuration' rpms_upgrade_and_back
story 'systemd is told of the service, at first and at each change' systemd_is_told
story 'erasing is refused while a file of PAM loads the module' erase_is_refused
story 'erased, the disk is as it was before' erased
