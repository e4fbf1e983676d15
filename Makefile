# SPDX-License-Identifier: GPL-2.0
# Contiguous memory for Linux v3.x and 6.1 on ARM, as patch series
BASE ?=
KSRC ?=
CROSS_COMPILE ?= arm-none-eabi-
J ?= $(shell nproc)
export BASE KSRC CROSS_COMPILE J

CMA := tools/testing/cma
DEPS := scripts/deps

help: ## what there is to make
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' Makefile | expand -t 16
	@echo "Variables: BASE=v3.1 or v6.1 (else: both, or the first) KSRC=DIR (tree of v3.1, or of BASE)"
	@echo "           CROSS_COMPILE=$(CROSS_COMPILE) J=$(J)"
	@echo "BASE=ref-6.1: boot and check Debian's kernel of that version, as it is, to compare with"

demo: ## boot, and see a driver get buffers from memory that is in use
	@$(DEPS) build qemu
	@$(CMA)/demo/demo

check: ## everything that can be tested; the last line counts
	@$(DEPS) build qemu lint
	@scripts/check

unit: ## tests on this machine, without a kernel
	@$(DEPS) build lint
	@scripts/check unit

fuzz: ## feed the parsers with nonsense
	@$(DEPS) build
	@$(CMA)/host/fuzz/fuzz

series: ## make the patches from the files, of each base
	@$(DEPS) build
	@for base in $(or $(BASE),$(notdir $(wildcard patches/v*))); do \
		BASE=$$base scripts/series regen || exit 1; done

series-check: ## do patches and files agree? needs no kernel
	@$(DEPS) build
	@scripts/check series

boot: ## a shell on the emulated board
	@$(DEPS) build qemu
	@$(CMA)/qemu/run --shell

bench: ## how long an allocation takes
	@$(DEPS) build qemu
	@$(CMA)/bench/bench

lint: ## shellcheck, checkpatch, sparse, kernel-doc
	@$(DEPS) build lint
	@scripts/lint

clean: ## remove build/ (downloads stay in the cache)
	rm -rf build

.PHONY: help demo check unit fuzz series series-check boot bench lint clean
