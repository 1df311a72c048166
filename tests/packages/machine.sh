# A small Debian of its own, booted in namespaces: systemd as its first process, sshd, sudo, apt, no network but its
# loopback. Nothing in it reaches this machine's own packages, accounts, PAM or services.
#
#   debootstrap, once ──> $CACHE/bookworm ── copied ──> $WORK/NAME, which `boot` starts and `inside` runs commands in
#
# What is not said here with `shell` on its command line is read by run.sh, which has set WORK and CACHE.

# Why no machine can be had here, once that is known: the stories that need one are then named, not told.
CANNOT=

# Whatever is asked of a machine has an end.
limited() { timeout --kill-after=10 "$@"; }

# Where apt takes this Debian from on this machine, and Debian's own place.
mirrors() {
	{
		# shellcheck disable=SC2016 # apt's, not the shell's
		apt-get indextargets --no-release-info --format '$(RELEASE) $(COMPONENT) $(REPO_URI)' 'Created-By: Packages' \
			2> /dev/null | sed -nE 's,^bookworm main ((https?|file):.*[^/])/*$,\1,p'
		echo http://deb.debian.org/debian
	} | awk '!seen[$0]++'
}

# The tree that every machine is a copy of. Made anew when what it shall have changes; half a tree is none.
tree() {
	packages=ca-certificates,openssh-server,openssh-client,sudo,systemd,systemd-sysv,libpam-runtime,passwd
	[ "$(cat "$CACHE/packages" 2>/dev/null)" != "$packages" ] || return 0
	echo "packages: debootstrap makes a Debian of its own in $CACHE, once"
	if [ -z "${http_proxy:-}" ]; then eval "$(apt-config shell http_proxy Acquire::http::Proxy)"; fi
	case ${http_proxy:-} in '' | DIRECT) ;; *) export http_proxy ;; esac
	for mirror in $(mirrors); do
		rm -rf --one-file-system "$CACHE"
		mkdir -p "$CACHE"
		# What it mounts goes with it, also when it is killed.
		if limited 900 unshare --mount debootstrap --variant=minbase --include="$packages" bookworm "$CACHE/bookworm" \
			"$mirror" < /dev/null > "$CACHE/log" 2>&1; then
			rm -f "$CACHE"/bookworm/var/cache/apt/archives/*.deb
			echo "$packages" > "$CACHE/packages"
			return 0
		fi
		tail -n 5 "$CACHE/log" | sed 's/^/        | /'
	done
	CANNOT='debootstrap cannot make a Debian'
	return 1
}

# A machine named $1, switched off.
machine() {
	MACHINE=$WORK/$1
	[ -z "$CANNOT" ] || return
	if [ "$(id -u)" -ne 0 ]; then
		CANNOT='only root can make a Debian'
	elif [ "$(df --output=avail --block-size=M "$WORK" | tail -n 1 | tr -dc 0-9)" -lt 1500 ]; then
		CANNOT="less than 1.5 GB is free in $WORK"
	elif tree; then
		(
			set -eu
			furnish
		) > "$WORK/said" 2>&1
		# In a condition set -e would not hold inside.
		# shellcheck disable=SC2181
		if [ $? -ne 0 ]; then CANNOT="no copy of the Debian: $(tail -n 1 "$WORK/said")"; fi
	fi
}

# Two people who have a password and root's key.
furnish() {
	rm -rf --one-file-system "$MACHINE"
	cp -a --reflink=auto "$CACHE/bookworm" "$MACHINE"
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

# Switches it on, and waits until it is up. Nothing of ours is in it yet: if it does not come up, that is because of where
# we are. It ends with this shell, however that ends.
boot() {
	[ -z "$CANNOT" ] || return
	NAME=packages-$$
	setpriv --pdeathsig KILL systemd-nspawn --quiet --directory="$MACHINE" --machine="$NAME" --register=no --keep-unit \
		--private-network --resolv-conf=off --timezone=off --link-journal=no --boot --console=pipe \
		< /dev/null > "$WORK/console" 2>&1 &
	NSPAWN=$!
	end=$((SECONDS + 120))
	until LEADER=$(pgrep -P "$NSPAWN" | head -n 1) && [ -n "$LEADER" ] &&
		inside systemctl is-system-running 2>/dev/null | grep -qE '^(running|degraded)$'; do
		if ! kill -0 "$NSPAWN" 2>/dev/null; then
			CANNOT="systemd-nspawn boots no machine here: $(tail -n 1 "$WORK/console")"
		elif [ "$SECONDS" -gt "$end" ]; then
			CANNOT="a machine of systemd-nspawn is not up after 2 minutes: $(tail -n 1 "$WORK/console")"
		fi
		if [ -n "$CANNOT" ]; then
			halt
			return
		fi
		sleep 0.2
	done
}

# Runs a command in it, as root with nothing of our own environment.
inside() {
	limited 180 nsenter --target "$LEADER" --mount --uts --ipc --net --pid --cgroup --root --wd \
		env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LC_ALL=C.UTF-8 DEBIAN_FRONTEND=noninteractive "$@"
}

# Switches it off: first as a person would, and for good if that takes too long.
halt() {
	[ -n "${NSPAWN:-}" ] || return 0
	kill -TERM "$NSPAWN" 2>/dev/null || true
	tries=0
	while kill -0 "$NSPAWN" 2>/dev/null && [ "$tries" -lt 100 ]; do
		tries=$((tries + 1))
		sleep 0.2
	done
	# Its first process before nspawn, which it would outlive.
	if kill -0 "$NSPAWN" 2>/dev/null && [ -n "${LEADER:-}" ]; then kill -KILL "$LEADER" 2>/dev/null || true; fi
	kill -KILL "$NSPAWN" 2>/dev/null || true
	wait "$NSPAWN" 2>/dev/null || true
	NSPAWN=
	# It leaves an empty folder where /run is no file system of its own.
	rmdir "/run/systemd/nspawn/propagate/$NAME" 2>/dev/null || true
}

# Logs $1 in by ssh from the machine itself, and prints what the terminal would show. A sshd that has just been reloaded
# does not listen for a moment.
login() {
	: > "$MACHINE/root/asked"
	inside env SSH_ASKPASS=/root/answer SSH_ASKPASS_REQUIRE=force setsid --wait ssh -F none \
		-o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -o NumberOfPasswordPrompts=1 \
		-o ConnectTimeout=20 -o ConnectionAttempts=10 -o PreferredAuthentications="${2:-publickey,keyboard-interactive}" "$1@127.0.0.1" \
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
			-o -printf '%p %y %m %U:%G %l\n' -type f -fprint0 "$WORK/files"
		xargs -0 sha256sum < "$WORK/files"
		dpkg-query --root="$MACHINE" -W
	) | sort
}
