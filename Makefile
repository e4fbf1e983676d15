# SPDX-License-Identifier: GPL-2.0
# Contiguous memory for Linux v3.x and 6.1 on ARM, as a patch series
BASE ?=
KSRC ?=
S ?=
TAG ?=
TREES ?=
COMPILE ?=
CONFIG ?=
CROSS_COMPILE ?= arm-none-eabi-
J ?= $(shell nproc)
export BASE KSRC CROSS_COMPILE J

CMA := tools/testing/cma
DEPS := scripts/deps

help: ## list what can be made
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' Makefile | expand -t 16
	@echo "Variables: BASE=v3.1 or v6.1 (default: both, or the first that can be had), v3.0, v3.2, v3.4"
	@echo "           KSRC=DIR (a tree of v3.1, or of BASE)"
	@echo "           CROSS_COMPILE=$(CROSS_COMPILE) J=$(J)"
	@echo "           S=\"NAME...\" TAG=\"TAG...\" for boot-test; neither: list the scenarios"
	@echo "           TREES=DIR with a kernel tree in each directory, CONFIG=DEFCONFIG, for fit-check"
	@echo "BASE=ref-6.1 boots and checks Debian's kernel of that version, unmodified, to compare with."
	@echo "CONTRIBUTING.md tells how to change the series and its tests."

demo: ## boot, and watch a driver get buffers from memory that is in use
	@$(DEPS) build qemu
	@$(CMA)/demo/demo

check: ## run all tests; the last line counts them
	@$(DEPS) build qemu lint
	@scripts/check

check-all: ## the same with unmodified 6.1, and each patch with and without CMA: takes hours
	@$(DEPS) build qemu lint
	@CHECK=all scripts/check

unit: ## run the tests that need no kernel
	@$(DEPS) build lint
	@scripts/check unit

fuzz: ## feed random input to the parsers
	@$(DEPS) build
	@$(CMA)/host/fuzz/fuzz

series: ## generate the patches of each base from the files
	@$(DEPS) build
	@for base in $(or $(BASE),$(notdir $(wildcard patches/v*))); do \
		BASE=$$base scripts/series regen || exit 1; done

series-check: ## check that patches and files agree (needs no kernel)
	@$(DEPS) build
	@scripts/check series

fit-check: ## try the series on other kernel trees: TREES=DIR, COMPILE=1
	@$(DEPS) build
	@TREES="$(TREES)" COMPILE="$(COMPILE)" CONFIG="$(CONFIG)" scripts/check fit

boot: ## get a shell on the emulated board
	@$(DEPS) build qemu
	@$(CMA)/qemu/run --shell

boot-test: ## run some scenarios: S="heap areas", or by tag: TAG=dmabuf
	@$(DEPS) build qemu
	@$(CMA)/qemu/run $(if $(S)$(TAG),,--list) $(S) $(addprefix --tag ,$(TAG))

oom-test: ## run scenario oom with 10,000 rounds instead of 300
	@$(DEPS) build qemu
	@$(CMA)/qemu/run $(CMA)/qemu/long/oom-long

soak: ## run the random tests for ten minutes each: an hour for each base
	@$(DEPS) build qemu
	@$(CMA)/qemu/run $(addprefix $(CMA)/qemu/long/soak-,stress debug parallel video fuzz attacker alias)

cpus-test: ## allocate beside a real-time process on another CPU; needs an idle machine
	@$(DEPS) build qemu
	@$(CMA)/qemu/run $(CMA)/qemu/long/other-cpus

clients: ## show the camera with GStreamer, and run other programs, on all kernels
	@$(DEPS) build qemu
	@$(CMA)/clients/clients

compile-boards: ## compile v3.1 for boards with other processors, and all media drivers
	@$(DEPS) build
	@scripts/compile-boards

bench: ## measure how long allocations take
	@$(DEPS) build qemu
	@$(CMA)/bench/bench

bench-plot: ## draw what an allocation costs: by size, area, fill, live buffers
	@$(DEPS) build qemu plot
	@$(CMA)/bench/plot

lint: ## run shellcheck, checkpatch, sparse and kernel-doc
	@$(DEPS) build lint
	@scripts/check lint

clean: ## remove build/ (downloads stay in the cache)
	rm -rf build

.PHONY: help demo check check-all unit fuzz series series-check fit-check boot boot-test oom-test soak cpus-test clients compile-boards bench bench-plot lint clean
