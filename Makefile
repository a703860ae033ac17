# Countersign: `make` lists the targets. Needed: Rust, git, gcc and make.

CARGO ?= cargo
CRASH_TRIALS ?= 10000
FUZZ_SECONDS ?= 180
PACK_MUTATIONS ?= 100000

.DEFAULT_GOAL := help
.PHONY: help demo test receipt e2e lint doc bench crash fuzz mutations second-verifier clean cargo

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "  make %-15s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: cargo ## ingest the recorded evening into a fresh ledger and show what happened in it
	$(CARGO) run --release --locked -p countersign -- demo

test: cargo ## run every test, then the rules of the house
	$(CARGO) test --workspace --locked
	$(CARGO) xtask tidy

receipt: cargo ## have a receipt checked by DSSE and in-toto tools from PyPI (needs python3-venv)
	$(CARGO) build --locked -p countersign
	tests/receipt/run target/debug/countersign

e2e: cargo ## real parts: LibreOffice, helm, kustomize and a Gitea, the last three built with Go
	$(CARGO) build --locked -p countersign
	tests/paper/run target/debug/countersign
	CARGO=$(CARGO) tests/render/run target/debug/countersign
	tests/forge/run target/debug/countersign

lint: cargo ## formatting, clippy, documentation, the rules of the house, licences
	$(CARGO) fmt --all --check
	$(CARGO) clippy --workspace --all-targets --locked -- -D warnings
	RUSTDOCFLAGS="-D warnings" $(CARGO) doc --workspace --locked --no-deps --document-private-items
	$(CARGO) xtask tidy
	@if ! $(CARGO) deny --version >/dev/null 2>&1; then \
		echo 'cargo-deny is not installed: licences, sources and advisories were not checked'; \
	else \
		$(CARGO) deny check licenses bans sources || exit 1; \
		if $(CARGO) deny fetch db >/dev/null 2>&1; then $(CARGO) deny check advisories; \
		else echo 'no network: advisories were not checked'; fi; \
	fi

doc: cargo ## build the documentation of the crates
	$(CARGO) doc --workspace --locked --no-deps --document-private-items

bench: cargo ## measure the ledger and the hashing beside the limits of this machine
	$(CARGO) bench --locked -p tlog --bench hashing
	$(CARGO) bench --locked -p countersign --bench ledger
	$(CARGO) bench --locked -p countersign --bench serve
	$(CARGO) bench --locked -p countersign --bench answers
	$(CARGO) bench --locked -p countersign --bench rights

crash: cargo ## kill an ingest at random points, CRASH_TRIALS times (10000; `make test` does 300)
	CRASH_TRIALS=$(CRASH_TRIALS) $(CARGO) test --release --locked -p countersign --test crash -- --nocapture

fuzz: cargo ## run every fuzz target for FUZZ_SECONDS (180) each; needs a C++ compiler
	fuzz/run $(FUZZ_SECONDS)

mutations: cargo ## change packs at random, PACK_MUTATIONS times (100000; `make test` does 2000)
	PACK_MUTATIONS=$(PACK_MUTATIONS) $(CARGO) test --locked -p verify --test it mutations -- --nocapture

second-verifier: cargo ## hold the verdicts on the tamper matrix to those of a verifier in Python
	CARGO=$(CARGO) tests/second-verifier/run

clean: cargo ## remove what was built
	$(CARGO) clean

cargo:
	@command -v $(CARGO) >/dev/null || { \
		echo 'cargo is missing: install Rust from https://rustup.rs, or `apt-get install rustup && rustup default stable`' >&2; \
		exit 1; }
