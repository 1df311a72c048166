# A small Debian of its own, booted in namespaces: systemd as its first process, sshd, sudo, apt, no network but its
# loopback. Nothing in it reaches this machine's own packages, accounts, PAM or services.
#
#   debootstrap, once ──> $CACHE/bookworm ── copied ──> $WORK/NAME, which `boot` starts and `inside` runs commands in
#
# What is not said here with `shell` on its command line is read by run.sh, which has set WORK and CACHE.

mirror=http://deb.debian.org/debian

# The tree that every machine is a copy of. Made anew when what it shall have changes.
tree() {
	packages=ca-certificates,openssh-server,openssh-client,sudo,systemd,systemd-sysv,libpam-runtime,passwd
	if [ "$(cat "$CACHE/packages" 2>/dev/null)" != "$packages" ]; then
		echo "packages: debootstrap makes a Debian of its own in $CACHE, once"
		rm -rf "$CACHE"
		mkdir -p "$CACHE"
		debootstrap --variant=minbase --include="$packages" bookworm "$CACHE/bookworm" "$mirror" > "$CACHE/log" 2>&1 || {
			tail -n 20 "$CACHE/log" >&2
			return 1
		}
		rm -f "$CACHE"/bookworm/var/cache/apt/archives/*.deb
		echo "$packages" > "$CACHE/packages"
	fi
}

# A machine named $1, switched off, with two people who have a password and root's key.
machine() {
	tree
	MACHINE=$WORK/$1
	rm -rf "$MACHINE"
	cp -a "$CACHE/bookworm" "$MACHINE"
	chroot "$MACHINE" useradd --create-home --shell /bin/bash alice
	chroot "$MACHINE" useradd --create-home --shell /bin/bash bob
	printf 'alice:right\nbob:right\n' | chroot "$MACHINE" chpasswd
	mkdir -p -m 700 "$MACHINE/root/.ssh"
	ssh-keygen -q -t ed25519 -N '' -C '' -f "$MACHINE/root/.ssh/id_ed25519"
	for person in alice bob; do
		chroot "$MACHINE" install -d -m 700 -o "$person" -g "$person" "/home/$person/.ssh"
		chroot "$MACHINE" install -m 600 -o "$person" -g "$person" /root/.ssh/id_ed25519.pub \
			"/home/$person/.ssh/authorized_keys"
	done
	# Debian's sshd asks nothing by keyboard-interactive unless it is told to.
	echo 'KbdInteractiveAuthentication yes' > "$MACHINE/etc/ssh/sshd_config.d/asking.conf"
	# Answers what ssh asks: the password for a password, Enter for anything else; and writes down what was asked.
	cat > "$MACHINE/root/answer" <<'ANSWER'
#!/bin/sh
printf '%s\n' "$1" >> /root/asked
case $1 in *assword*) echo right ;; *) echo ;; esac
ANSWER
	chmod 755 "$MACHINE/root/answer"
}

# Switches it on, and waits until it is up.
boot() {
	systemd-nspawn --quiet --directory="$MACHINE" --machine=packages --register=no --keep-unit --private-network \
		--resolv-conf=off --timezone=off --link-journal=no --boot --console=pipe < /dev/null > "$WORK/console" 2>&1 &
	NSPAWN=$!
	tries=0
	until leader=$(pgrep -P "$NSPAWN" | head -n 1) && [ -n "$leader" ] &&
		inside systemctl is-system-running 2>/dev/null | grep -qE '^(running|degraded)$'; do
		tries=$((tries + 1))
		if [ "$tries" -gt 300 ] || ! kill -0 "$NSPAWN"; then
			echo "the machine did not come up:" >&2
			tail -n 20 "$WORK/console" >&2
			return 1
		fi
		sleep 0.2
	done
}

# Runs a command in it, as root with nothing of our own environment.
inside() {
	nsenter --target "$(pgrep -P "$NSPAWN" | head -n 1)" --mount --uts --ipc --net --pid --cgroup --root --wd \
		env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LC_ALL=C.UTF-8 DEBIAN_FRONTEND=noninteractive "$@"
}

# Switches it off: first as a person would, and for good if that takes too long.
halt() {
	[ -n "${NSPAWN:-}" ] || return 0
	kill -TERM "$NSPAWN" 2>/dev/null || true
	tries=0
	while kill -0 "$NSPAWN" 2>/dev/null && [ "$tries" -lt 150 ]; do
		tries=$((tries + 1))
		sleep 0.2
	done
	kill -KILL "$NSPAWN" 2>/dev/null || true
	wait "$NSPAWN" 2>/dev/null || true
	NSPAWN=
}

# Logs $1 in by ssh from the machine itself, and prints what the terminal would show.
login() {
	: > "$MACHINE/root/asked"
	inside env SSH_ASKPASS=/root/answer SSH_ASKPASS_REQUIRE=force setsid --wait ssh -F none \
		-o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -o NumberOfPasswordPrompts=1 \
		-o PreferredAuthentications="${2:-publickey,keyboard-interactive}" "$1@127.0.0.1" \
		'echo "granted to $(id -un)"' < /dev/null 2>&1 || true
}

# Mobile ID on the machine itself: the simulator, and what it gives to whoever asks it, in the place of a contract.
simulator() {
	inside systemd-run --quiet --unit=simulator --property=Restart=no \
		mobileid-simulator --listen 127.0.0.1:8443 --phone 127.0.0.1:8080 --state /root/phone
	tries=0
	until inside journalctl --unit=simulator --output=cat | grep -q '^ready '; do
		tries=$((tries + 1))
		if [ "$tries" -gt 150 ]; then return 1; fi
		sleep 0.2
	done
	inside sh -c 'cd /root/phone && cp -p mobileid.toml users.toml client.crt client.key server-root.pem \
		signer-anchors.pem srs-client-secret /etc/mobileid/'
}

# How often any phone was asked.
pushes() { grep -c '"push-started"' "$MACHINE/root/phone/journal.jsonl" || true; }

# All that the machine has on its disk: path, kind, mode, owner, and what is in it. Left out is what any machine writes
# that runs and has packages installed: logs, caches, books of apt and dpkg, the files of accounts as they were before.
# Which packages are known comes from dpkg itself.
snapshot() {
	(
		cd "$MACHINE"
		find . -xdev \( -path ./var/log -o -path ./var/cache -o -path ./var/lib/apt -o -path ./tmp -o -path ./var/tmp \
			-o -path ./root -o -path ./run -o -path './var/lib/dpkg/status*' -o -path './var/lib/dpkg/lock*' \
			-o -path './etc/*-' -o -path './var/lib/systemd/random-seed' -o -path './var/lib/systemd/timers' \) -prune \
			-o \( -type f -printf '%p %y %m %U:%G ' -exec sh -c 'sha256sum < "$1"' - {} \; \) \
			-o -printf '%p %y %m %U:%G %l\n'
		dpkg-query --root="$MACHINE" -W
	) | sort
}
