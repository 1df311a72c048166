# Read before the steps of a page: what a person does without thinking.
set -eu
cd /root/debs

# FILE OLD NEW: the line is there once, and is another afterwards.
replace() {
	test "$(grep -cxF -- "$2" "$1")" = 1
	awk -v old="$2" -v new="$3" '{ print $0 == old ? new : $0 }' "$1" > /root/edited
	cat /root/edited > "$1"
}

# FILE TEXT
put() { printf '%s\n' "$2" > "$1"; }

# Waits for what the program in the background has to say before going on.
ready() {
	tries=0
	until grep -q "^ready " /root/shown; do
		tries=$((tries + 1))
		test "$tries" -lt 300
		sleep 0.1
	done
}
