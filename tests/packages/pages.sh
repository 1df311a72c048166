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

listens() { inside journalctl --unit=ssh --output=cat --no-pager | grep -c '^Server listening on 0.0.0.0' || true; }

# Waits until sshd, which was told to, has read its configuration anew: since the last time it listens once more.
reloaded() {
	tries=0
	until [ "$(listens)" -gt "$(cat "$WORK/listened")" ]; do
		tries=$((tries + 1))
		[ "$tries" -lt 100 ]
		sleep 0.1
	done
	listens > "$WORK/listened"
}

new_debian() {
	# sshd is as Debian has it: what it needs beyond that, the page says.
	rm "$MACHINE/etc/ssh/sshd_config.d/asking.conf"
	listens > "$WORK/listened"
	inside systemctl restart ssh
	reloaded
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
	take README.md 'Without a contract'
	has "$(cat "$MACHINE/root/shown")" '^accepted'
	same "$("$tests/steps.py" "$root/README.md" 'Without a contract')" \
		"$("$tests/steps.py" "$root/docs/install.md" 'Without a contract')"
}

# Alice is asked and is in, Bob is asked and is not.
ssh_asks() {
	before=$(pushes)
	has "$(login alice)" 'granted to alice'
	has "$(cat "$MACHINE/root/asked")" 'Mobile ID: code'
	has_not "$(login bob)" 'granted'
	same $((before + 2)) "$(pushes)"
	inside mobileidctl pushes clear bob
}

readme_ssh() {
	cp -p "$MACHINE/etc/pam.d/sshd" "$WORK/pam-sshd"
	take README.md 'ssh with a key and the phone.'
	inside systemctl reload ssh
	reloaded
	ssh_asks
	cp -p "$WORK/pam-sshd" "$MACHINE/etc/pam.d/sshd"
	rm "$MACHINE/etc/ssh/sshd_config.d/mobileid.conf"
	inside systemctl reload ssh
	reloaded
}

one_service() {
	take docs/install.md '4. One service'
	reloaded
	ssh_asks
}

every_service() {
	take docs/install.md 'Every service at once'
	before=$(pushes)
	has "$(inside runuser -u bob -- sh -c 'printf "right\n\n" | su alice -c "id -un"' 2>&1)" '^alice$'
	same $((before + 1)) "$(pushes)"
}

# The page for the day on which nobody gets in, while everything is on; then all is put back.
locked_out() {
	cp -p "$MACHINE/etc/pam.d/sshd" "$WORK/pam-sshd"
	take docs/locked-out.md '5. Take the line out'
	same '' "$(grep -lE '^[^#]*pam_mobileid' "$MACHINE"/etc/pam.d/*[!~])"
	before=$(pushes)
	has "$(login alice)" 'granted to alice'
	has "$(inside runuser -u bob -- sh -c 'echo right | su alice -c "id -un"' 2>&1)" ' alice$'
	same "$before" "$(pushes)"
	rm "$MACHINE/etc/pam.d/sshd~"
	cp -p "$WORK/pam-sshd" "$MACHINE/etc/pam.d/sshd"
	inside pam-auth-update --enable mobileid
}

vpns() {
	take docs/install.md 'VPNs'
	same active "$(inside systemctl is-active mobileid-radiusd)"
	has "$(inside systemctl show --property=StatusText mobileid-radiusd)" 'takes logins'
}

uninstalled() {
	pkill --ns "$LEADER" --nslist pid --exact mobileid-simula
	take docs/install.md 'Uninstall'
	reloaded
	has "$(login alice)" 'granted to alice'
	has "$(login bob)" 'granted to bob'
	same '' "$(inside find /run -name 'mobileid*')"
	same "$(cat "$WORK/disk-before")" "$(snapshot)"
}

machine pages
boot
story 'a Debian on which alice logs in with her key' new_debian
story 'README, without a contract: installed, configured, and a first login' without_a_contract
story 'README, ssh with a key and the phone: Alice confirms, Bob cancels' readme_ssh
story 'install.md, one service: ssh asks the phones; Alice confirms, Bob cancels' one_service
story 'install.md, every service at once: su asks, too' every_service
story 'locked-out.md: the line is out, and nobody is asked' locked_out
story 'install.md, VPNs: the responder runs' vpns
story 'install.md, uninstall: all log in as before, and the disk is as it was' uninstalled
halt
