# Everything a person does with the shop. `make` alone lists it.
SHELL := /bin/bash
.DEFAULT_GOAL := help
.PHONY: help up down status logs clean env bootstrap test fuzz test-fast replay replay-clicks compact reconcile rebuild simulate notebook sample cost prove desk gateway load load-clean oversell bench bench-compaction bench-funnel plan deploy lint format lock contracts web

PYTHON ?= python3
TF_ROOT = iac/envs/$(or $(STAGE),dev)
BIN := .venv/bin
# Absent on purpose until asked for: an empty variable gives no option.
option = $(if $($(1)),--$(2) $($(1)))
# The same for words of people: make exports what it was given, and the shell does not read it again.
said = $(if $($(1)),--$(2) "$$$(1)")

help: ## list the commands
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):[^#]*## (.*)/  \1\t\2/' | expand -t 16

.venv/stamp: requirements.txt
	@$(PYTHON) -c 'import sys; sys.exit("Python 3.11 or newer is needed: make PYTHON=python3.12" if sys.version_info < (3, 11) else 0)'
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check "$$(grep '^uv==' requirements.txt)" && VIRTUAL_ENV=.venv $(BIN)/uv pip sync --quiet requirements.txt || $(BIN)/python -m pip install --quiet -r requirements.txt
	@touch $@

up: .venv/stamp web ## start everything; safe to repeat
	@$(BIN)/python -m iac.local up

down: .venv/stamp ## stop everything, keep state
	@$(BIN)/python -m iac.local down

status: .venv/stamp ## what runs, where, how healthy
	@$(BIN)/python -m iac.local status

logs: .venv/stamp ## follow every log
	@$(BIN)/python -m iac.local logs

clean: .venv/stamp ## stop everything, remove state
	@$(BIN)/python -m iac.local clean

env: .venv/stamp ## print the environment of the processes: eval "$(make -s env)"
	@$(BIN)/python -m iac.local env

bootstrap: .venv/stamp ## apply the topology and deploy the functions to the running emulator
	@$(BIN)/python -m iac.local bootstrap

web: .venv/stamp
	@$(BIN)/python -m iac.local build

test: .venv/stamp web ## everything the project asserts, on ports and state of its own
	@$(BIN)/python -m iac.local browser && $(BIN)/python -m iac.local test-web && $(BIN)/python -m pytest $(ARGS)

fuzz: .venv/stamp web ## made-up input for every route, on a shop of its own; CASES= a service
	@HAS_FUZZ_CASES=$(or $(CASES),2000) $(BIN)/python -m pytest tests/contract/test_fuzzed.py $(ARGS)

test-fast: .venv/stamp ## the tests that need no stack
	@$(BIN)/python -m pytest tests/unit $(ARGS)

replay: .venv/stamp ## stream the real order log; SPEED= FILE= LIMIT= SHIFT_TO_NOW=1
	@$(BIN)/python -m iac.local run -- -m pipeline.replay $(call option,SPEED,speed) $(call option,FILE,file) $(call option,LIMIT,limit) $(if $(SHIFT_TO_NOW),--shift-to-now)

replay-clicks: .venv/stamp ## stream 165,474 real clicks of 2008 as product views; LIMIT=
	@$(BIN)/python -m iac.local run -- -m pipeline.replay.clicks_command $(call option,LIMIT,limit)

compact: .venv/stamp ## merge raw files into the curated tables now
	@$(BIN)/python -m iac.local run -- -m pipeline.compaction

notebook: .venv/stamp ## open the query notebook in a browser
	@$(BIN)/python -m iac.local run -- -m marimo edit docs/notebooks/lake.py --host 127.0.0.1

sample: .venv/stamp ## export whole orders and visits, without persons; OUT= ROWS= SEED=
	@$(BIN)/python -m iac.local run -- -m pipeline.sample $(call option,OUT,out) $(call option,ROWS,rows) $(call option,SEED,seed)

simulate: .venv/stamp ## the pipeline with faults, in this process; SEEDS= FIRST= JOBS= DAYS=, SEED= alone, EMULATOR=1 on the stack
	@$(BIN)/python $(if $(EMULATOR),-m iac.local run --) -m tests.simulation $(call option,SEEDS,seeds) $(call option,FIRST,first) $(call option,JOBS,jobs) $(call option,DAYS,days) $(call option,SEED,seed) $(if $(EMULATOR),--emulator)

reconcile: .venv/stamp ## the lake against the aggregates, hour by hour; REPAIR=1 recounts what differs
	@$(BIN)/python -m iac.local run -- -m pipeline.reconciliation $(if $(REPAIR),--repair)

rebuild: .venv/stamp ## every aggregate anew from the lake, beside the live ones; DO=swap|roll-back|discard|show
	@$(BIN)/python -m iac.local run -- -m pipeline.rebuild $(DO)

cost: .venv/stamp ## what a million events cost on AWS, by list prices; after a replay
	@$(BIN)/python -m iac.local run -- -m pipeline.cost

prove: .venv/stamp ## run the proof ledger; exit 0 only if every check holds; VERIFY=<file or id> checks a signature
	@$(BIN)/python -m iac.local run -- -m $(if $(VERIFY),pipeline.proof $(call option,VERIFY,verify),loadgen.probe --then-prove)

desk: .venv/stamp ## what the pipeline set aside; DO="list" "show ID" "fix …" "redrive …" "discard …" "count" ("list -h"); CAUSE=
	@$(BIN)/python -m iac.local run -- -m pipeline.desk $(or $(DO),list) $(call said,CAUSE,cause)

gateway: .venv/stamp ## how the simulated card gateway behaves; SET="authorise latency_ms=300 lost_percent=20" or SET=reset
	@$(BIN)/python -m iac.local run -- -m iac.local.payment_gateway $(SET)

load: .venv/stamp ## load through the edge; SCENARIO=normal|peak|stress|soak|flash-sale USERS= RAMP= DURATION= RATE=
	@$(BIN)/python -m iac.local run -- -m loadgen $(call option,SCENARIO,scenario) $(call option,USERS,users) $(call option,RAMP,ramp) $(call option,DURATION,duration) $(call option,RATE,rate)

load-clean: .venv/stamp ## take away what load runs left behind, and say what that was
	@$(BIN)/python -m iac.local run -- -m loadgen.clean

bench: .venv/stamp ## speed through the edge: a table, and JSON under var/bench
	@$(BIN)/python -m iac.local run -- -m loadgen.bench

bench-compaction: .venv/stamp ## made-up clicks compacted: time and peak memory; EVENTS=10000000
	@$(BIN)/python -m iac.local run -- -m loadgen.compaction_speed $(if $(EVENTS),--events $(EVENTS))

bench-funnel: .venv/stamp ## made-up sessions counted: time and peak memory; SESSIONS=3200000
	@$(BIN)/python -m iac.local run -- -m loadgen.funnel_speed $(call option,SESSIONS,sessions)

oversell: .venv/stamp ## 2,000 buyers after 500 units with cancellations; fails when one is sold twice; BUYERS= SEED=
	@$(BIN)/python -m iac.local run -- -m loadgen.oversell $(call option,BUYERS,buyers) $(call option,SEED,seed)

plan: .venv/stamp ## Terraform plan of STAGE (dev so far)
	@$(BIN)/python -m iac.envs.package functions var/package/functions.zip
	@$(BIN)/python -m iac.envs.package libraries var/package/libraries.zip
	@terraform -chdir=$(TF_ROOT) init -input=false -lockfile=readonly $(if $(HAS_TF_PLUGIN_DIR),-plugin-dir=$(HAS_TF_PLUGIN_DIR))
	@terraform -chdir=$(TF_ROOT) plan -input=false -var=function_package=$(CURDIR)/var/package/functions.zip -var=library_package=$(CURDIR)/var/package/libraries.zip -out=$(CURDIR)/var/package/plan

deploy: plan ## apply that plan
	@terraform -chdir=$(TF_ROOT) apply -input=false $(CURDIR)/var/package/plan

lint: .venv/stamp ## ruff, mypy, import-linter, tsc, eslint, terraform
	@$(BIN)/python -m iac.local lint

format: .venv/stamp ## rewrite the Python code in the house's layout
	@$(BIN)/ruff format . && $(BIN)/ruff check --fix --quiet .

lock: .venv/stamp ## compile requirements.txt from requirements.in
	@$(BIN)/uv pip compile --universal --python-version 3.11 --quiet --no-header --no-annotate requirements.in -o requirements.txt

contracts: .venv/stamp ## write OpenAPI, event schemas and TypeScript types; fails on drift with CHECK=1
	@$(BIN)/python -m iac.local contracts $(if $(CHECK),--check)
