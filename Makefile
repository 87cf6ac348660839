# `make run` shows Kawal at work; `make test` passes everything that must pass.
# Each target installs what is missing, so that Debian with Rust needs nothing else.

CARGO ?= cargo

.PHONY: run test check build install-missing

run: install-missing
	@echo "building; the first time takes some minutes"
	@$(CARGO) run --locked --quiet -- demo

test: check
	@sh tests/tools/install-missing.sh store
	@sh tests/tools/install-missing.sh observability
	@sh tests/tools/install-missing.sh browser
	@sh tests/tools/install-interop.sh
	@sh tests/tools/install-missing.sh pods
	@sh tests/tools/build-pod-app.sh
	$(CARGO) test --locked

check: install-missing
	@sh tests/tools/install-missing.sh lints
	$(CARGO) fmt --all --check
	$(CARGO) clippy --locked --all-targets --quiet -- -D warnings
	RUSTDOCFLAGS="-D warnings" $(CARGO) doc --locked --no-deps --quiet

build: install-missing
	$(CARGO) build --locked --release

install-missing:
	@sh tests/tools/install-missing.sh
