# What one types in a checkout. Every target may be repeated, and does only what is left to do.

# The laboratory's programs find what was built beside themselves, so one folder holds everything.
TARGET := $(or $(CARGO_TARGET_DIR),target)

# The laboratory makes namespaces and runs sshd: when we are not root, its programs, and nothing else of
# what is built, are started through sudo.
ifneq ($(shell id -u),0)
SUDO := sudo
HOST := $(shell rustc -vV 2>/dev/null | sed -n 's/^host: //p' | tr a-z- A-Z_)
AS_ROOT := env CARGO_TARGET_$(HOST)_RUNNER=sudo
endif

# Where the packages go, and what they are made of.
PACKAGES := $(TARGET)/packages

.PHONY: help deps build demo test lint unit installs lab fuzz bench-radius bench-pam layout
.PHONY: deps-packages packages test-packages test-reproducible

help:
	@echo 'make deps    install or build what building and testing need, where it is missing'
	@echo 'make build   the PAM module, the RADIUS responder, mobileidctl and the simulator, into $(TARGET)/debug'
	@echo 'make demo    see logins confirmed and cancelled, a sudo, and RADIUS, on this machine alone'
	@echo 'make man     write anew what the manual and the completions take from the code and the guide'
	@echo 'make test    everything that is checked: lint, unit tests, fuzz runs, packages, real logins'
	@echo 'make lint    formatting and lints, and whether the oldest Rust that we promise does'
	@echo 'make bench-pam      the module side by side with others, a login with curl and openssl, in a minute'
	@echo 'make bench-radius   the responder side by side with FreeRADIUS, in a quarter of an hour'
	@echo 'make packages           packages for Debian and Fedora, with bills of materials, into $(PACKAGES)'
	@echo 'make test-packages      installs, changes and removes them on a Debian of its own, as make test does with others'
	@echo 'make test-reproducible  builds them twice, in two folders, and compares the bytes'
	@echo
	@echo 'Parts of make test: make lint (make msrv), make unit, make fuzz, make installs, make lab'

deps:
	@sh tests/deps.sh

# The second build is the module that panics when told to, which one test logs in through. It has a folder
# of its own: cargo would take the one module for the other.
build: deps
	cargo build --locked --workspace
	cargo build --locked -p pam_mobileid --features test-panic --target-dir $(TARGET)/debug/test-panic

# Without what only the tests need: who sees it for the first time has nothing built yet.
demo:
	@sh tests/deps.sh --demo
	cargo build --locked --workspace
	@$(SUDO) $(TARGET)/debug/demo

# The logins come last: they are the proof, and their summary is the last line.
test: deps lint build
	@$(MAKE) --no-print-directory unit
	@$(MAKE) --no-print-directory fuzz
	@$(MAKE) --no-print-directory installs
	@$(MAKE) --no-print-directory lab

lint: deps
	cargo fmt --all --check
	cargo fmt --manifest-path fuzz/Cargo.toml --check
	cargo clippy --locked --workspace --all-targets -- -D warnings
	sh tests/core-alone.sh
	@if command -v cargo-deny >/dev/null; then cargo deny check; else echo 'cargo-deny is not here: its check is left out'; fi
	@$(MAKE) --no-print-directory msrv

.PHONY: msrv
msrv: deps
	tests/msrv.sh $(TARGET)/msrv

unit: deps
	cargo test --locked --workspace --exclude mobileid-tests

# Packages of what was built, and their stories: for `make packages`, below, everything would be built a second time.
installs: deps-packages build
	tests/packages/quick.sh $(TARGET)/debug $(SUDO)

# With --workspace, because the choice of packages decides with which features their dependencies are built.
# More threads than cores: a login waits most of its time.
lab: build
	$(AS_ROOT) cargo test --locked --workspace --test lab -- --test-threads=8

fuzz: deps
	fuzz/run.sh

# The tests hold the same files against what this writes.
.PHONY: man
man: deps
	UPDATE=1 cargo test --locked -p mobileidctl --bin mobileidctl manual::

# What is measured is what is shipped, so it is the release that runs. The load generator and the servers
# share the machine's cores: nothing else should run beside them.
bench-radius: deps
	cargo build --locked --profile daemon -p mobileid-radiusd -p mobileid-simulator -p mobileid-benches
	$(TARGET)/daemon/bench-radius $(ARGUMENTS)

# The module is built by itself: together with the others it would get features that only they want. The modules it
# is compared with are Debian's, and only this wants them.
bench-pam: deps
	@sh tests/deps.sh libpam-duo libpam-google-authenticator
	cargo build --locked --release -p pam_mobileid
	cargo build --locked --release -p mobileid-simulator -p mobileid-benches
	$(TARGET)/release/bench-pam $(ARGUMENTS)

# Records which functions of the module run in every login, for the linker to put side by side: pam/layout.ld is
# written anew. After a change to what a login does before it asks a phone, or of the compiler.
layout: bench-pam
	@sh tests/deps.sh valgrind
	sh benches/layout.sh $(TARGET)/bench $(TARGET)/layout

deps-packages: deps
	@sh tests/deps.sh debhelper lintian rpm rpmlint cpio debootstrap systemd systemd-container procps checkpolicy \
		semodule-utils git

# Only what the packages of this version are is left there: a package of another version is not taken for one of ours.
packages: deps-packages
	packaging/build.sh $(PACKAGES)
	/usr/bin/python3 packaging/inventory.py $(PACKAGES)
	rm -f $(PACKAGES)/*.deb $(PACKAGES)/*.rpm
	packaging/deb/build.sh $(PACKAGES)
	packaging/rpm/build.sh $(PACKAGES)
	cp $(PACKAGES)/inventory/*.cdx.json $(PACKAGES)/
	cd $(PACKAGES) && sha256sum *.deb *.rpm *.cdx.json > SHA256SUMS && cat SHA256SUMS

# Boots machines, which takes root; they have no network, and nothing of this machine's is changed.
test-packages: packages
	$(SUDO) tests/packages/run.sh $(PACKAGES) $(TARGET)/test-packages $(STORIES)

test-reproducible: deps-packages
	tests/packages/reproducible.sh $(TARGET)/test-reproducible
