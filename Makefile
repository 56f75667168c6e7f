# h5edge. `make run` and `make test` are enough on a fresh Debian 12 with Rust, Node and root or sudo.

SUDO := $(shell [ "$$(id -u)" = 0 ] || echo sudo)
PACKAGES := $(shell sed -e 's/\#.*//' debian-packages.txt)

.PHONY: run test browser-tests onvif-peers check audit bench pictures packages web

## Builds everything and starts h5edge on port 8080 with two moving pictures.
run: packages web
	cargo build --release --bin h5edge --example fakecam --example makeclip
	./examples/demo/run.sh

## The whole test suite: unit, black-box, browser.
test: packages web onvif-peers
	cd web && npm test
	cargo test --locked --no-fail-fast
	$(MAKE) browser-tests

browser-tests:
	cargo build --locked --bin h5edge --example fakecam --example makeclip
	./tests/browser/run.sh

## ONVIF cameras and clients that others wrote, for the tests (target/onvif-peers).
onvif-peers: packages
	./tests/onvif/peers/install.sh

## Formatting, lints, types.
check: packages web
	cargo fmt --check
	cargo fmt --check --manifest-path tests/onvif/peers/cameras/Cargo.toml
	cargo clippy --locked --all-targets -- -D warnings
	cd web && npm run check

## Licences and origin of all dependencies, and their known holes where the list of those can be reached.
audit:
	command -v cargo-deny >/dev/null || cargo install --debug --locked --version 0.20.2 cargo-deny
	cargo deny check bans licenses sources
	if cargo deny fetch db; then cargo deny check advisories; \
		else echo "known holes: NOT checked, the advisory database cannot be reached from here"; fi

## CPU, memory and delay of this machine, as a table and as JSON (target/bench.json).
bench: packages web onvif-peers
	cargo build --release --locked --bin h5edge --example fakecam --example edgeswarm
	cargo bench --locked --bench live

## The handbook's pictures of the admin page (docs/pictures/admin).
pictures: packages web
	cargo build --locked --bin h5edge --example fakecam
	./tests/browser/pictures.sh

include buildroot/appliance.mk

## Installs the system packages that are missing.
packages:
	@missing=$$(have=$$(mktemp); dpkg-query -W -f '$${Package} $${db:Status-Status}\n' $(PACKAGES) 2>/dev/null \
		| awk '$$2 == "installed" { print $$1 }' | sort > "$$have"; \
		printf '%s\n' $(PACKAGES) | sort | comm -23 - "$$have"; rm -f "$$have"); \
	if [ -n "$$missing" ]; then \
		$(SUDO) apt-get update -q && \
		$(SUDO) env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends $$missing; \
	fi

## The web page and the player, embedded into the binary by the next cargo build.
web: web/dist/index.html

web/dist/index.html: $(shell find web -path web/node_modules -prune -o -path web/dist -prune -o -type f -print)
	cd web && npm ci --no-audit --no-fund && npm run build
