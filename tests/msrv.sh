#!/bin/sh
# Checks everything, tests included, with exactly the Rust that Cargo.toml names as the oldest, if rustup has it here.
#
#   msrv.sh TARGET
set -eu
rust=$(sed -n 's/^rust-version = "\(.*\)"$/\1/p' Cargo.toml)
# The first of its releases: later ones have mended what the first may stumble over.
case $rust in
*.*.*) ;;
*) rust=$rust.0 ;;
esac
if ! RUSTUP_AUTO_INSTALL=0 rustup run "$rust" cargo --version > /dev/null 2>&1; then
	echo "Rust $rust is not here: that the oldest Rust does is left out (rustup toolchain install --profile minimal $rust)"
	exit 0
fi
exec rustup run "$rust" cargo check --locked --workspace --all-targets --target-dir "$1"
