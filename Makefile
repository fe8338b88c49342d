# What one does with this repository. Everything is plain cargo underneath.

# The target directory stands outside the clone, so that a second clone need not build everything again.
export CARGO_TARGET_DIR ?= $(HOME)/.cache/volley/target

# Tests on real servers mostly wait for these: one more at a time than there are cores.
export RUST_TEST_THREADS ?= $(shell expr $$(nproc) + 1)

# What `make one` runs: all tests on real servers with this in their names.
T =
# The tests that consumers fetch in, whichever client does it.
FETCHING = kafka_fetch:: kafka_rebalance:: kafka_outage:: kafka_tls:: kafka_login:: paused_partitions::
# Where the tests of volley-jvm find a real host and a plug-in.
JAVA = VOLLEY_JAVA_HOST_DIR=$(CARGO_TARGET_DIR)/lib/volley-java \
	VOLLEY_JAVA_TEST_PLUGINS=$${VOLLEY_TESTBED:-$$HOME/.cache/volley/testbed}/java-plugins/connect-file
# How many times longer `make soak` takes.
SOAK = 5
# Arguments of the drain bench, such as DRAIN="--write" or DRAIN="--only floor,volley --runs 1".
DRAIN =
# Arguments of the scale bench, such as SCALE="--write" or SCALE="--only volley --connectors 50".
SCALE =

.PHONY: test all-tests unit one soak lint doc bench java-host clean-testbed

# Installs the servers that the tests start, unless they are there, and runs everything.
test:
	tests/testbed/install.sh
	tests/summary.sh $(MAKE) --no-print-directory all-tests

# All tests, and those of fetching once more with the client that is not the default.
all-tests:
	java-host/test.sh; host=$$?; \
	$(MAKE) --no-print-directory java-host && $(JAVA) cargo test --workspace --no-fail-fast; all=$$?; \
	VOLLEY_FETCH_CLIENT=librdkafka cargo test --workspace --test volley -- $(FETCHING) && exit $$((host + all))

# What needs no servers: the units, and SQL as a whole.
unit:
	cargo test --workspace --lib --test transformation

# make one T=a_rolling_restart
one:
	@test -n "$(T)" || { echo "say which test: make one T=name"; exit 2; }
	tests/testbed/install.sh
	$(MAKE) --no-print-directory java-host
	cargo test --workspace --test volley -- $(T)

# Kills and restarts, workers, brokers and stores, again and again: for an evening, before a release. More of it: SOAK=20.
# And the tests that CI leaves out: one that fails in some runs of all tests, and those that need an HDFS of another kind.
soak:
	tests/testbed/install.sh
	$(MAKE) --no-print-directory java-host
	VOLLEY_SOAK=$(SOAK) cargo test --workspace --test volley -- --test-threads 1 --nocapture --include-ignored \
		exactly_once:: java_iceberg:: hdfs:: bounce:: rebalanced_files:: store_faults:: large_objects:: full_disk:: java_debezium:: java_mirror:: java_exactly_once:: killed_ whoever_is_killed a_topic_that_is_deleted_and_made_again a_broker_that_comes_back \
		probes:: java_laws::

lint:
	cargo fmt --all -- --check
	cargo clippy --workspace --all-targets -- -D warnings

# The documentation of the crates, all links of which lead somewhere.
doc:
	RUSTDOCFLAGS="-D warnings" cargo doc --workspace --no-deps

# Each stage alone, whole drains beside a floor written by hand, a group of workers beside Java's: docs/performance.md.
bench:
	cargo bench --profile dist --bench stages
	cargo bench --profile dist --bench drain -- $(DRAIN)
	cargo bench --profile dist --bench scale -- $(SCALE)
	cargo bench --profile dist --bench databases
	cargo bench --profile dist --bench java_plugins

# The host of Java plug-ins with all that it needs, and its licences: java-host/PROTOCOL.md. Cargo builds nothing of it, and it needs nothing of cargo's.
java-host:
	mvn -q -B -f java-host/pom.xml package -DskipTests
	rm -rf $(CARGO_TARGET_DIR)/lib/volley-java
	mkdir -p $(CARGO_TARGET_DIR)/lib/volley-java
	cp java-host/target/volley-java-host.jar java-host/target/volley-java/*.jar $(CARGO_TARGET_DIR)/lib/volley-java/
	cp -r LICENSE java-host/NOTICE java-host/licenses $(CARGO_TARGET_DIR)/lib/volley-java/

# The servers of the tests, to install them anew.
clean-testbed:
	rm -rf "$${VOLLEY_TESTBED:-$$HOME/.cache/volley/testbed}"
