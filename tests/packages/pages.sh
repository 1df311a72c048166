# The pages as an administrator follows them, on a Debian that has never seen us: what is done is read from them.

# take PAGE HEADING: every command there, as root in the folder of the packages; none may fail.
take() {
	{
		cat "$tests/as-a-person.sh"
		/usr/bin/python3 "$tests/steps.py" "$root/$1" "$2"
	} > "$MACHINE/root/steps"
	: > "$MACHINE/root/shown"
	inside env APT_CONFIG=/root/apt.conf PATH=/root/bin:/usr/sbin:/usr/bin:/sbin:/bin \
		bash /root/steps > "$MACHINE/root/shown" 2>&1 || {
		cat "$MACHINE/root/shown"
		return 1
	}
}

new_debian() {
	# sshd is as Debian has it: what it needs beyond that, the page says.
	rm "$MACHINE/etc/ssh/sshd_config.d/asking.conf"
	inside systemctl restart ssh
	snapshot > "$WORK/disk-before"
	mkdir "$MACHINE/root/debs" "$MACHINE/root/bin"
	cp "$OUT"/*.deb "$MACHINE/root/debs/"
	# Answers apt's questions with yes, and edits: root shall not log in by ssh; anything else is right as it is.
	echo 'APT::Get::Assume-Yes "true";' > "$MACHINE/root/apt.conf"
	cat > "$MACHINE/root/bin/editor" <<'EDITOR'
#!/bin/sh
sed -i 's/^#PermitRootLogin no$/PermitRootLogin no/' "$1"
EDITOR
	chmod 755 "$MACHINE/root/bin/editor"
	has "$(login alice)" 'granted to alice'
}

without_a_contract() {
	take docs/install.md 'Without a contract'
	has "$(cat "$MACHINE/root/shown")" '^accepted'
}

one_service() {
	take docs/install.md '4. One service'
	before=$(pushes)
	has "$(login alice)" 'granted to alice'
	has "$(cat "$MACHINE/root/asked")" 'Mobile ID: code'
	has_not "$(login bob)" 'granted'
	same $((before + 2)) "$(pushes)"
	inside mobileidctl pushes clear bob
}

every_service() {
	take docs/install.md 'Every service at once'
	has "$(cat "$MACHINE/etc/pam.d/common-auth")" pam_mobileid
	has "$(login alice)" 'granted to alice'
}

vpns() {
	take docs/install.md 'VPNs'
	same active "$(inside systemctl is-active mobileid-radiusd)"
	has "$(inside systemctl show --property=StatusText mobileid-radiusd)" 'takes logins'
}

uninstalled() {
	pkill --ns "$LEADER" --nslist pid --exact mobileid-simula
	take docs/install.md 'Uninstall'
	has "$(login alice)" 'granted to alice'
	has "$(login bob)" 'granted to bob'
	same '' "$(inside find /run -name 'mobileid*')"
	same "$(cat "$WORK/disk-before")" "$(snapshot)"
}

machine pages
boot
story 'a Debian on which alice logs in with her key' new_debian
story 'install.md, without a contract: installed, configured, and a first login' without_a_contract
story 'install.md, one service: ssh asks the phones; Alice confirms, Bob cancels' one_service
story 'install.md, every service at once: the profile is on, and Alice logs in' every_service
story 'install.md, VPNs: the responder runs' vpns
story 'install.md, uninstall: all log in as before, and the disk is as it was' uninstalled
halt
