# SPDX-License-Identifier: MIT
# The front door. Thin: every target is one or two commands of tools/, which can be called alone.
# `make help` lists the targets.

MAKEFLAGS += --no-print-directory --no-builtin-rules
PREFIX ?= /usr/local
N ?= 20
TARGETS = run test check-quick check-all bench fuzz kills mutants lint deb install debug clean help

.PHONY: $(TARGETS)

# A target whose tool is not in the tree says so and fails.
need = test -x $(1) || { echo 'make $@: $(1) is not in this tree, so there is nothing to run' >&2; exit 1; }

help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1	\2/p' Makefile | expand -t 22

run: ## build a release and start `godwit up`: gateway and sandbox, no account needed
	@tools/install-deps run
	@tools/build release
	@ln -sfn build/release/src/cli/godwit godwit
	@exec ./godwit up

test: ## every test layer in its quick form; ends with `N passed, N failed`
	@tools/install-deps test
	@tools/build test
	@tools/run-tests

check-quick: ## lints and unit tests only: seconds, run it constantly
	@tools/install-deps test
	@tools/build test
	@tools/run-tests --layer lint --layer unit

check-all: ## the long forms of everything, before a release
	@tools/install-deps all
	@tools/build test
	@tools/build release
	@tools/run-tests --long

lint: ## the static checks alone
	@tools/install-deps test
	@tools/build test
	@tools/run-tests --layer lint

bench: ## measure, beside the peer; prints `name value unit` lines
	@$(call need,tools/run-bench)
	@tools/install-deps bench
	@tools/run-bench

fuzz: ## regressions, then 60 s for each parser
	@$(call need,tools/run-fuzz)
	@tools/install-deps fuzz
	@tools/build fuzz
	@tools/run-fuzz

kills: ## kill -9 at random under load, N=20 times; prints what was lost and doubled
	@$(call need,tools/run-kills)
	@tools/install-deps test
	@tools/build test
	@tools/run-kills --count $(N)

mutants: ## break each promise on purpose and see which test notices
	@$(call need,tools/run-mutants)
	@tools/install-deps mutants
	@tools/run-mutants

deb: ## Debian packages in build/deb: godwit, libgodwit0, libgodwit-dev
	@tools/install-deps deb
	@tools/build-deb

install: ## program, manual, completions, library and headers into PREFIX (DESTDIR is honoured)
	@tools/install-deps run
	@tools/build release
	@meson configure build/release -Dprefix=$(abspath $(PREFIX))
	@meson install -C build/release --quiet >build/install.log || { cat build/install.log >&2; exit 1; }

debug: ## a build for the debugger in build/debug
	@tools/install-deps test
	@tools/build debug

clean: ## remove everything that was built
	@rm -rf build
