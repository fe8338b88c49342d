# What one does with this repository. Everything is plain cargo underneath.

# The target directory stands outside the clone, so that a second clone need not build everything again.
export CARGO_TARGET_DIR ?= $(HOME)/.cache/volley/target

# Arguments of the drain bench, such as DRAIN="--write" or DRAIN="--only floor,volley --runs 1".
DRAIN =
# Arguments of the scale bench, such as SCALE="--write" or SCALE="--only volley --connectors 50".
SCALE =

.PHONY: test lint bench clean-testbed

# Installs the servers that the tests start, unless they are there, and runs everything.
test:
	tests/testbed/install.sh
	tests/summary.sh cargo test --workspace --no-fail-fast

lint:
	cargo fmt --all -- --check
	cargo clippy --workspace --all-targets -- -D warnings

# Each stage alone, whole drains beside a floor written by hand, a group of workers beside Java's: docs/performance.md.
bench:
	cargo bench --profile dist --bench stages
	cargo bench --profile dist --bench drain -- $(DRAIN)
	cargo bench --profile dist --bench scale -- $(SCALE)

# The servers of the tests, to install them anew.
clean-testbed:
	rm -rf "$${VOLLEY_TESTBED:-$$HOME/.cache/volley/testbed}"
