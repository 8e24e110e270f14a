# Two commands do all the set-up on a fresh Debian 12 machine, as root: `make demo` and `make test`.
PYTHON ?= python3
BIN := .venv/bin
READY := .venv/.ready
LAB := lab/lab
NEWER := $(LAB) --name postcopy --subnet 10.79.8.0/24 --suite forky

.PHONY: demo test lint unit e2e chaos nightly test-postcopy test-nfs bench bench-planning schemas lab-down clean

$(READY): pyproject.toml setup/system-packages
	setup/system-packages
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --disable-pip-version-check -e '.[libvirt,planner,dev]'
	touch $(READY)

demo: $(READY)            ## the main job on the lab, from nothing: plan, apply, move live, revoke, prove
	demo/main-job

test: $(READY) lint unit e2e      ## everything that proves it, lab included

lint: $(READY)            ## import floors, strict types, linter
	$(BIN)/ruff check .
	$(BIN)/mypy --strict -p reconciler
	MYPYPATH=lab $(BIN)/mypy --strict lab/vlab
	$(BIN)/lint-imports --config floors.importlinter.ini

unit: $(READY)            ## without the lab
	$(BIN)/pytest -q -n 2 -m 'not lab'

e2e: $(READY)             ## on two labs side by side, one per core
	$(LAB) up
	$(LAB) --name vpd2 --subnet 10.78.1.0/24 up
	RECONCILER_LAB_REQUIRED=1 $(BIN)/pytest -q -n 2 --dist worksteal -m lab

chaos: $(READY)          ## N seeded random steps of edits, faults and kills on the lab: make chaos N=50 SEED=7
	$(LAB) up
	$(BIN)/pytest -q tests/e2e/chaos --chaos-steps $(or $(N),50) --chaos-seed $(or $(SEED),$(shell date +%s))

nightly: test            ## the tests, then post-copy, new random examples, fifty random steps and ten thousand random fleets
	$(MAKE) test-postcopy
	$(BIN)/pytest -q -n 2 -m 'not lab' --hypothesis-profile search
	$(MAKE) chaos N=50
	$(BIN)/pytest -q -n 2 tests/placement --fleets 10000

test-postcopy: $(READY)   ## a post-copy broken in every way and recovered, on a lab of Debian testing
	$(NEWER) up
	RECONCILER_LAB=postcopy RECONCILER_LAB_SUBNET=10.79.8 RECONCILER_LAB_SUITE=forky $(BIN)/pytest -q tests/e2e/newer
	$(NEWER) down --purge

test-nfs: $(READY)        ## the same practice on machines with their own kernels and real NFS 4.2; slow
	$(BIN)/pytest -q tests/nfs --run-nfs

bench: $(READY)           ## against a shell script and virt-clone, in one run; writes docs/benchmarks.md
	$(LAB) up
	$(BIN)/python -m tests.bench

bench-planning: $(READY)  ## where VMs go and in which order: against proven bounds, public instances, hbal; needs no lab
	command -v hbal >/dev/null || apt-get install -y -qq --no-install-recommends ganeti-htools
	$(BIN)/python -m tests.bench.planning

schemas: $(READY)
	$(BIN)/reconciler schema --out schemas

lab-down:
	$(LAB) down
	$(LAB) --name vpd2 --subnet 10.78.1.0/24 down

clean: lab-down
	rm -rf .venv
