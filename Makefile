# alertgest: `make` lists the targets. Everything runs under Node 24 or later: the one on PATH, or one that npx fetches;
# node_modules/.bin/node points at it, so that npm and all tools below use it too.
.DEFAULT_GOAL := help
.PHONY: help demo run test faults soak test-alert check bench build monitoring doctor clean image check-supply security
MAKEFLAGS += --no-print-directory
export PATH := $(CURDIR)/node_modules/.bin:$(PATH)
export npm_config_update_notifier := false

READY := node_modules/.ready
IMAGE := alertgest:0.1.0
IS_NEW := node -e 'process.exit(parseInt(process.versions.node) < 24)' 2>/dev/null
FETCH := npx --yes --prefer-offline --loglevel=error --package=node@24 --package=npm@11 --
QUIET := --no-audit --no-fund --loglevel=error
APT := apt-get install -y -qq --no-install-recommends nodejs npm
# The Node that was used may be gone (another nvm version, an emptied npx cache): then install again.
$(shell test -x node_modules/.bin/node || rm -f $(READY))

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: $(READY) ## a sample night through everything, on this machine, with throw-away data
	@node cli/main.ts demo

run: $(READY) ## everything on this machine, history in .data/, until Ctrl-C
	@node cli/main.ts run

test: $(READY) ## unit, integration and end-to-end tests
	@vitest run $(TEST_ARGS)

faults: $(READY) ## every row of the fault matrix; writes docs/faults.md
	@vitest run --config vitest.faults.config.ts $(TEST_ARGS)

soak: $(READY) ## 100,000 alerts with random faults on, then an audit; SOAK_ARGS='--alerts 5000' for a short one
	@node bench/soak.ts $(SOAK_ARGS)

test-alert: $(READY) ## an alert through the Alertmanager of ALERTMANAGER_URL to the phone, hop by hop
	@node cli/main.ts test-alert

check: $(READY) ## types, lint, format
	@npm run --silent check

bench: $(READY) ## the numbers of the README, measured on this machine
	@node bench/main.ts

build: $(READY) ## one bundle per function in dist/
	@npm run --silent build

image: ## the container image; IMAGE=registry/name:tag names it
	@for tool in docker podman buildah; do $$tool info >/dev/null 2>&1 && exec $$tool build --tag $(IMAGE) .; done; \
		echo 'neither docker, podman nor buildah answers here: install one of them, or start its daemon' >&2; exit 1

check-supply: $(READY) ## licences, checksums, known holes and signatures of what production installs
	@node build/supply.ts

monitoring: $(READY) ## the monitoring stack in dist/monitoring; ENV=homelab|company, APPLY=1 installs it
	@node build/monitoring-stack.ts $(or $(ENV),homelab) $(if $(APPLY),--apply)

security: $(READY) ## every threat and whether its tests pass; FUZZ_RUNS=10000 for a long night
	@node build/security.ts

doctor: $(READY) ## what is reachable, what is not, how to fix it
	@node cli/main.ts doctor

clean: ## removes what was built and installed; history in .data/ stays
	rm -rf dist coverage node_modules

$(READY): package-lock.json
	@command -v npm >/dev/null || $(MAKE) npm-from-apt
	@echo 'Installing packages …'
	@if $(IS_NEW); then with=; else with='$(FETCH)'; fi; $$with sh -c 'npm ci $(QUIET) >/dev/null \
		&& ln -sf "$$(node -p process.execPath)" node_modules/.bin/node' && touch $@

npm-from-apt:
	@command -v apt-get >/dev/null || { echo 'npm is missing: install Node.js 24 or later (https://nodejs.org), then run make again' >&2; exit 1; }
	@echo 'Installing npm with apt-get …'
	@if [ "$$(id -u)" = 0 ]; then sudo=; else sudo='sudo -n'; fi; export DEBIAN_FRONTEND=noninteractive; \
		$$sudo apt-get update -qq && $$sudo $(APT) >/dev/null \
		|| { echo 'npm is missing and cannot be installed from here: sudo apt-get install nodejs npm, then run make again' >&2; exit 1; }
