# What one does with this repository. Everything is plain cargo underneath.

CARGO ?= cargo

.PHONY: build test lint bench clean-testbed

build:
	$(CARGO) build --release

# Installs the servers that the tests start, unless they are there, and runs everything.
test:
	tests/testbed/install.sh
	tests/summary.sh $(CARGO) test --workspace --no-fail-fast

lint:
	$(CARGO) fmt --all -- --check
	$(CARGO) clippy --workspace --all-targets -- -D warnings

# Each stage alone, then whole drains beside a floor written by hand: docs/performance.md.
bench:
	$(CARGO) bench

# The servers of the tests, to install them anew.
clean-testbed:
	rm -rf "$${VOLLEY_TESTBED:-$$HOME/.cache/volley/testbed}"
