# The responder as the package's unit starts it, by a real systemd: shut in, and at work.

# A gateway on the machine itself asks whether $1 may enter.
gateway() {
	echo "User-Name=$1,User-Password=ignored,Message-Authenticator=0x00" |
		limited 60 nsenter --target "$LEADER" --net \
			radclient -x -r 1 -t 30 127.0.0.1:1812 auth "$(cat "$MACHINE/etc/mobileid/vpn.secret")" 2>&1 || true
}

process() { inside systemctl show --property=MainPID --value mobileid-radiusd; }
journal() { inside journalctl --unit=mobileid-radiusd --output=cat --no-pager; }

# README.Debian's steps, with the sample as it is but for the gateway's address.
starts() {
	mkdir "$MACHINE/root/debs"
	cp "$OUT"/*.deb "$MACHINE/root/debs/"
	inside sh -c 'apt-get -qq install -y /root/debs/*.deb'
	simulator
	inside cp /usr/share/doc/mobileid-radiusd/examples/radiusd.toml /etc/mobileid/
	inside sh -c 'umask 077; echo 6f9a0c7d3b8e41f2a5d6c7b8 > /etc/mobileid/vpn.secret'
	sed -i 's/^address = "192.0.2.1"/address = "127.0.0.1"/' "$MACHINE/etc/mobileid/radiusd.toml"
	inside systemctl start mobileid-radiusd
	same active "$(inside systemctl is-active mobileid-radiusd)"
	has "$(inside systemctl show --property=StatusText mobileid-radiusd)" 'takes logins'
}

is_shut_in() {
	status=$(inside cat "/proc/$(process)/status")
	has_not "$status" '^Uid:.0'
	for set in CapInh CapPrm CapEff CapBnd CapAmb; do has "$status" "^$set:.0000000000000000\$"; done
	has "$status" '^NoNewPrivs:.1$'
	has "$status" '^Seccomp:.2$'
	# Its own user and mount namespaces.
	for space in user mnt; do
		refused test "$(inside readlink "/proc/$(process)/ns/$space")" = "$(inside readlink "/proc/1/ns/$space")"
	done
	# The keys stay root's; what the responder reads is a copy that only it can.
	same 'root 600' "$(stat -c '%U %a' "$MACHINE/etc/mobileid/client.key")"
	for folder in '' /config; do same 'root 750' "$(inside stat -c '%U %a' "/run/mobileid-radiusd$folder")"; done
	same 'mobileid-radiusd 600' "$(inside stat -c '%U %a' /run/mobileid-radiusd/config/client.key)"
}

# What the process sees, tried with its user and in its view of the disk.
as_it() {
	inside nsenter --target "$(process)" --mount \
		setpriv --reuid mobileid-radiusd --regid mobileid-radiusd --clear-groups --no-new-privs "$@"
}
sees_little() {
	as_it cat /etc/mobileid/client.key > /dev/null
	refused as_it cat /etc/shadow
	refused as_it cat /root/.ssh/id_ed25519
	for folder in /etc/mobileid /run/mobileid-radiusd /run/mobileid-radiusd/config; do refused as_it touch "$folder/new"; done
	refused as_it touch /usr/new
	as_it touch /var/lib/mobileid-radiusd/new
	as_it rm /var/lib/mobileid-radiusd/new
	# What it writes cannot be run, and it leaves no dump.
	for folder in /var/lib/mobileid-radiusd /tmp /var/tmp; do
		as_it cp /bin/true "$folder/"
		refused as_it "$folder/true"
		as_it rm "$folder/true"
	done
	has "$(inside cat "/proc/$(process)/limits")" '^Max core file size +0 +0 '
	has "$(inside cat "/proc/$(process)/status")" '^Umask:.0077$'
}

phones_decide_for_gateways() {
	has "$(gateway alice)" 'Received Access-Accept'
	has "$(gateway bob)" 'Received Access-Reject'
	has "$(gateway nobody)" 'Received Access-Reject'
	has "$(journal)" '"verdict":"accepted"'
}

# Carol's name is new; the process stays the same.
reload_reads_anew() {
	before=$(process)
	sed 's/^\[alice\]/[newcomer]/' "$MACHINE/etc/mobileid/users.toml" > "$WORK/users"
	cp -p "$MACHINE/etc/mobileid/users.toml" "$WORK/users-before"
	cat "$WORK/users" > "$MACHINE/etc/mobileid/users.toml"
	has "$(gateway newcomer)" 'Received Access-Reject'
	inside systemctl reload mobileid-radiusd
	has "$(gateway newcomer)" 'Received Access-Accept'
	cat "$WORK/users-before" > "$MACHINE/etc/mobileid/users.toml"
	has "$(inside mobileidctl reload)" 'takes logins'
	has "$(gateway alice)" 'Received Access-Accept'
	same "$before" "$(process)"
}

# A mistake, and a file that others could have written: named at the reload, and what runs goes on.
broken_is_not_taken() {
	before=$(process)
	echo 'nonsense = 1' >> "$MACHINE/etc/mobileid/radiusd.toml"
	refused inside systemctl reload mobileid-radiusd
	has "$(journal)" 'nonsense'
	sed -i '/^nonsense/d' "$MACHINE/etc/mobileid/radiusd.toml"
	chmod 666 "$MACHINE/etc/mobileid/users.toml"
	refused inside systemctl reload mobileid-radiusd
	has "$(journal)" 'users.toml.* may be changed by others'
	chmod 600 "$MACHINE/etc/mobileid/users.toml"
	# The copy has other owners than the originals, so these are what is looked at.
	for of_bob in users.toml signer-anchors.pem; do
		inside chown bob "/etc/mobileid/$of_bob"
		refused inside systemctl reload mobileid-radiusd
		has "$(journal | tail -n 5)" "$of_bob.* belongs to another user"
		inside chown root "/etc/mobileid/$of_bob"
	done
	same "$before" "$(process)"
	has "$(gateway alice)" 'Received Access-Accept'
	inside systemctl reload mobileid-radiusd
}

# What the copy has, with owners and modes.
handed() { inside find /run/mobileid-radiusd -printf '%P %U %m %s\n' | sort; }

# An editor's lock is a link to nowhere; a folder of roots may be a link, and lie elsewhere.
what_editors_leave_is_no_obstacle() {
	ln -s "root@vm.4711:1763800000" "$MACHINE/etc/mobileid/.#users.toml"
	echo old > "$MACHINE/etc/mobileid/users.toml~"
	mkdir "$MACHINE/etc/roots"
	cp "$MACHINE/etc/mobileid/signer-anchors.pem" "$MACHINE/etc/roots/"
	ln -s /etc/roots "$MACHINE/etc/mobileid/roots"
	inside systemctl reload mobileid-radiusd
	has "$(handed)" '^config/roots/signer-anchors.pem '
	has_not "$(handed)" 'users.toml~|#users|^next|^old|^list'
	inside systemctl restart mobileid-radiusd
	has "$(gateway alice)" 'Received Access-Accept'
	rm "$MACHINE/etc/mobileid/.#users.toml" "$MACHINE/etc/mobileid/users.toml~" "$MACHINE/etc/mobileid/roots"
	inside systemctl reload mobileid-radiusd
}

# A key where the service cannot read it, and a copy that there is no room for: the reload says so, and what runs has the
# copy that it had, for a SIGHUP too.
what_cannot_be_handed_over_changes_nothing() {
	before=$(handed)
	has "$before" '^config/client.key '
	key=$MACHINE/etc/ssl/private/mobileid.key
	mkdir -p "$MACHINE/etc/ssl/private"
	cp "$MACHINE/etc/mobileid/client.key" "$key"
	chmod 600 "$key"
	sed -i 's,^client_key = .*,client_key = "/etc/ssl/private/mobileid.key",' "$MACHINE/etc/mobileid/mobileid.toml"
	refused inside systemctl reload mobileid-radiusd
	has "$(journal | tail -n 5)" 'mobileid.key.*cannot be read'
	same "$before" "$(handed)"
	sed -i 's,^client_key = .*,client_key = "client.key",' "$MACHINE/etc/mobileid/mobileid.toml"
	# Everybody may read it, but the service sees no homes.
	sed -i "s,^server_trust = .*,server_trust = \"/home/root.pem\"," "$MACHINE/etc/mobileid/mobileid.toml"
	install -m 644 "$MACHINE/etc/mobileid/server-root.pem" "$MACHINE/home/root.pem"
	refused inside systemctl reload mobileid-radiusd
	has "$(journal | tail -n 5)" 'root.pem.*cannot be read'
	same "$before" "$(handed)"
	sed -i 's,^server_trust = .*,server_trust = "server-root.pem",' "$MACHINE/etc/mobileid/mobileid.toml"
	for obstacle in /usr "/etc/mobileid"; do
		ln -s "$obstacle" "$MACHINE/etc/mobileid/all"
		refused inside systemctl reload mobileid-radiusd
		rm "$MACHINE/etc/mobileid/all"
		same "$before" "$(handed)"
	done
	inside sh -c 'kill -HUP "$(systemctl show --property=MainPID --value mobileid-radiusd)"'
	has "$(gateway alice)" 'Received Access-Accept'
	has_not "$(journal | tail -n 3)" 'stays in use'
	inside systemctl reload mobileid-radiusd
	same "$(cut -d ' ' -f 1-3 <<< "$before")" "$(handed | cut -d ' ' -f 1-3)"
}

# A program of the site's, started in there with what little there is; and what it may not do is refused.
a_program_is_asked() {
	mkdir -p "$MACHINE/usr/local/libexec"
	cat > "$MACHINE/usr/local/libexec/people" <<'PROGRAM'
#!/bin/sh
chown root /var/lib/mobileid-radiusd 2>/dev/null || true
case $1 in
known) echo '{"msisdn": "+41790000001"}' ;;
*) exit 1 ;;
esac
PROGRAM
	chmod 755 "$MACHINE/usr/local/libexec/people"
	cp -p "$MACHINE/etc/mobileid/mobileid.toml" "$WORK/mobileid.toml"
	printf '\n[[directory]]\ntype = "command"\nname = "people"\ncommand = ["/usr/local/libexec/people"]\n' \
		>> "$MACHINE/etc/mobileid/mobileid.toml"
	inside systemctl reload mobileid-radiusd
	has "$(gateway known)" 'Received Access-Accept'
	has "$(gateway unknown)" 'Received Access-Reject'
	cat "$WORK/mobileid.toml" > "$MACHINE/etc/mobileid/mobileid.toml"
	inside systemctl reload mobileid-radiusd
}

# A start that fails is tried again for as long as it takes.
a_start_is_tried_until_it_works() {
	chmod 666 "$MACHINE/etc/mobileid/users.toml"
	refused inside systemctl restart mobileid-radiusd
	refused inside test -e /run/mobileid-radiusd
	chmod 600 "$MACHINE/etc/mobileid/users.toml"
	tries=0
	until [ "$(inside systemctl is-active mobileid-radiusd || true)" = active ]; do
		tries=$((tries + 1))
		[ "$tries" -lt 300 ]
		sleep 0.1
	done
	has "$(inside systemctl show --property=StartLimitIntervalUSec mobileid-radiusd)" '=0$'
	has "$(gateway alice)" 'Received Access-Accept'
}

# systemd notices that it hangs: the watchdog is fed from the loop that carries packets.
hanging_is_noticed() {
	has "$(inside systemctl show --property=WatchdogUSec mobileid-radiusd)" '30s'
	first=$(inside systemctl show --property=WatchdogTimestampMonotonic --value mobileid-radiusd)
	tries=0
	while [ "$(inside systemctl show --property=WatchdogTimestampMonotonic --value mobileid-radiusd)" = "$first" ]; do
		tries=$((tries + 1))
		[ "$tries" -lt 200 ]
		sleep 0.1
	done
}

upgrade_restarts_it() {
	version_of 0.1.1-0mobileid1 deb
	before=$(process)
	cp "$WORK"/0.1.1-0mobileid1/*.deb "$MACHINE/root/debs/"
	inside sh -c 'apt-get -qq install -y /root/debs/*0.1.1*.deb'
	same active "$(inside systemctl is-active mobileid-radiusd)"
	refused test "$before" = "$(process)"
	has "$(gateway alice)" 'Received Access-Accept'
}

# Carol's phone is asked and she walks away: the stop lets her login end, for as long as is configured.
stops() {
	printf '\n[limits]\ndrain = 3\n' >> "$MACHINE/etc/mobileid/radiusd.toml"
	inside systemctl reload mobileid-radiusd
	before=$(pushes)
	gateway carol > "$WORK/carol" &
	tries=0
	while [ "$(pushes)" = "$before" ]; do
		tries=$((tries + 1))
		[ "$tries" -lt 100 ]
		sleep 0.1
	done
	inside systemctl stop mobileid-radiusd
	has "$(journal)" 'pending .1. have 3 s'
	has "$(inside systemctl show --property=Result mobileid-radiusd)" 'success'
	refused inside test -e /run/mobileid-radiusd
}

gone_without_a_trace() {
	inside apt-get -qq purge -y mobileid-radiusd
	for left in /var/lib/mobileid-radiusd /etc/mobileid/radiusd.toml /etc/systemd/system/multi-user.target.wants/mobileid-radiusd.service; do
		refused test -e "$MACHINE$left"
	done
	refused grep mobileid-radiusd "$MACHINE/etc/passwd" "$MACHINE/etc/group"
}

machine responder
boot
story 'the package and its sample, and the service runs' starts
story 'its process: a user of its own, no capability, system calls filtered' is_shut_in
story 'it sees its configuration and its state, and nothing of root' sees_little
story 'a gateway asks: Alice confirms, Bob cancels, nobody is nobody' phones_decide_for_gateways
story 'reload reads everything anew, in the same process' reload_reads_anew
story 'what is broken, or others could have changed, is not taken' broken_is_not_taken
story 'what editors leave in /etc/mobileid is no obstacle, nor are links' what_editors_leave_is_no_obstacle
story 'what cannot be handed over changes nothing' what_cannot_be_handed_over_changes_nothing
story 'a program of the site is asked who has which phone' a_program_is_asked
story 'a start that fails is tried again until it works' a_start_is_tried_until_it_works
story 'it feeds the watchdog' hanging_is_noticed
story 'an upgrade starts the new one' upgrade_restarts_it
story 'it stops, and its copy of the keys is gone' stops
story 'purged, it leaves neither state nor user' gone_without_a_trace
halt
