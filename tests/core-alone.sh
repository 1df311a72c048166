#!/bin/sh
# The core without its feature decides and nothing else: it builds alone, and no HTTP client, TLS or runtime is
# below it. The RADIUS responder and the fuzz targets rely on that.
set -eu
tree=$(cargo tree --locked --quiet -p mobileid --edges normal --prefix none)
for crate in ureq rustls tokio; do
	if printf '%s\n' "$tree" | grep -q "^$crate v"; then
		echo "core-alone: $crate is below the core without features; see: cargo tree -p mobileid -e normal -i $crate" >&2
		exit 1
	fi
done
exec cargo clippy --locked --quiet -p mobileid -- -D warnings
