# Builds the private world, as root, in namespaces that unshare has just made; then holds it until its
# standard input closes. The argument is the laboratory's folder, which has etc, run, home, root, var/lib, dev
# and the socket `syslog`.
#
# Nothing here reaches the machine: every mount is in this namespace, and goes with it.
set -eu
world=$1

# /proc still shows the machine's process ids: it is by this one that the test enters the world.
read -r pid _ < /proc/self/stat
mount -t proc proc /proc

# A /dev with what programs need, and a /dev/log of our own. The terminals stay the machine's, so that a
# pseudo-terminal opened by the test has the same name on both sides.
mount -t tmpfs -o mode=755,nosuid lab-dev "$world/dev"
for node in null:3 zero:5 full:7 random:8 urandom:9; do
	mknod -m 666 "$world/dev/${node%:*}" c 1 "${node#*:}"
done
mknod -m 666 "$world/dev/tty" c 5 0
mknod -m 666 "$world/dev/ptmx" c 5 2
mkdir "$world/dev/pts" "$world/dev/shm"
mount --bind /dev/pts "$world/dev/pts"
mount -t tmpfs -o mode=1777,nosuid,nodev lab-shm "$world/dev/shm"
ln -s /proc/self/fd "$world/dev/fd"
for stream in 0:stdin 1:stdout 2:stderr; do
	ln -s "/proc/self/fd/${stream%:*}" "$world/dev/${stream#*:}"
done
: > "$world/dev/log"
mount --bind "$world/syslog" "$world/dev/log"

for place in etc run home root var/lib; do
	mount --bind "$world/$place" "/$place"
done
# wtmp, btmp, lastlog and mail are written by login and sshd.
for place in /var/log /var/mail; do
	if [ -d "$place" ]; then mount -t tmpfs -o mode=755 lab-var "$place"; fi
done
mount --rbind "$world/dev" /dev

echo "world $pid"
# As the first process of its namespace this one inherits every orphan; ignoring the signal lets the
# kernel bury them, so that a zombie seen by a test is one that somebody left.
trap '' CHLD
exec cat
