# `make run` shows Kawal at work; `make test` passes everything that must pass.
# Each target installs what is missing, so that Debian with Rust needs nothing else.

CARGO ?= cargo
ENGINE ?= $(shell command -v podman || command -v docker)
VERSION := $(shell sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml)
# Most of the time tests wait, for a lease to end or a file to be looked at.
TEST_THREADS ?= $(shell expr 2 \* $$(nproc))
# What measures Kawal beside others is a package of its own.
PEERS := --manifest-path tests/bench/peers/Cargo.toml --target-dir target/bench-peers

.PHONY: run test check build image bench bench-growth bench-peers instructions soak install-missing

run: install-missing
	@echo "building; the first time takes some minutes"
	@$(CARGO) run --locked --quiet -- demo

test: check
	@sh tests/tools/install-missing.sh store
	@sh tests/tools/install-missing.sh observability
	@sh tests/tools/install-missing.sh browser
	@sh tests/tools/install-interop.sh
	@sh tests/tools/install-manifests.sh
	@sh tests/tools/install-missing.sh pods
	@sh tests/tools/install-missing.sh instructions
	@sh tests/tools/build-pod-app.sh
	@echo "building what the image holds, and what its instructions are counted of; it takes some minutes"
	@sh k8s/build-static.sh
	@sh k8s/build-static.sh judge
	$(CARGO) test --locked --quiet $(PEERS)
	RUST_TEST_THREADS=$(TEST_THREADS) $(CARGO) test --locked

check: install-missing
	@sh tests/tools/install-missing.sh lints
	$(CARGO) fmt --all --check
	$(CARGO) fmt --manifest-path tests/bench/peers/Cargo.toml --check
	$(CARGO) clippy --locked --workspace --all-targets --quiet -- -D warnings
	$(CARGO) clippy --locked --all-targets --quiet $(PEERS) -- -D warnings
	RUSTDOCFLAGS="-D warnings" $(CARGO) doc --locked --no-deps --quiet

build: install-missing
	$(CARGO) build --locked --release

# Kawal beside HAProxy and nginx, 20 minutes: writes tests/bench/results.md, its chart, and the README's
# table. WORDS says more, such as WORDS="--rounds 3 --sizes 90"; the driver's --help tells all.
bench: bench-peers
	@PATH="$$PATH:/usr/sbin" target/bench-peers/release/bench-peers compare --out tests/bench --readme README.md $(WORDS)

# What grows with what: writes tests/bench/growth.md and its chart.
bench-growth: bench-peers
	@PATH="$$PATH:/usr/sbin" target/bench-peers/release/bench-peers growth --out tests/bench $(WORDS)

bench-peers: build
	@sh tests/tools/install-missing.sh bench
	@$(CARGO) build --quiet --locked --release $(PEERS)

image:
	@test -n "$(ENGINE)" || { echo "make image needs podman or docker: please install one of them" >&2; exit 1; }
	$(ENGINE) build --file k8s/Containerfile --build-arg VERSION=$(VERSION) --tag kawal:$(VERSION) .

# Records what the judgement costs from now on, for the test that compares.
instructions: install-missing
	@sh tests/tools/install-missing.sh instructions
	@sh k8s/build-static.sh judge
	RECORD_INSTRUCTIONS=1 $(CARGO) test --locked --test suite instructions::

# What make test does for a minute, for ten, with what the image holds.
soak: install-missing
	@sh k8s/build-static.sh
	SUITE_BINARY=$(CURDIR)/target/image/kawal SOAK_SECONDS=600 $(CARGO) test --locked --test suite soak:: -- --nocapture

install-missing:
	@sh tests/tools/install-missing.sh
