# The target directory stands outside the clone, so that a second clone need not build everything again.
export CARGO_TARGET_DIR ?= $(HOME)/.cache/volley/target

# Arguments of the drain bench, such as DRAIN="--write" or DRAIN="--only floor,volley --runs 1".
DRAIN =

.PHONY: bench
bench:
	cargo bench --bench stages
	cargo bench --bench drain -- $(DRAIN)
