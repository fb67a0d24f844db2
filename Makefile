# The front door. Meson does the work; `make help` lists what there is.
#   make run    install what running needs, build, start everything in ./var before the example app
#   make test   install what testing needs, build, run every tier; ends in "N passed, M failed"
BUILD ?= build
STATE ?= var
PORT  ?= 8443

.PHONY: help build run test quick check fuzz torture bench sanitized format clean
help:
	@sed -n 's/^# \{1,3\}//p;/^\.PHONY/q' Makefile; echo "  make build check quick fuzz torture bench bench-{files,gate,ledger,limits,memory,shieldparts,signin,store} sanitized format clean"

build:
	@scripts/setup build
	@scripts/build $(BUILD)

run:
	@scripts/setup run
	@scripts/build $(BUILD)
	@scripts/run-example $(BUILD) $(STATE) $(PORT)

# T0 T1 T2 T3 T4 T5 S, in that order; the last line is the count.
test:
	@scripts/setup test
	@scripts/test

# Static checks alone, and the tests of the code alone: what one runs between two edits.
check:
	@scripts/check
quick:
	@scripts/build $(BUILD)
	@meson test -C $(BUILD) --suite unit --suite replay --print-errorlogs

sanitized:
	@scripts/build build-san -Db_sanitize=address,undefined -Db_lundef=false

# Live fuzzing with libFuzzer: T=name (all by default), SECONDS each.
fuzz:
	@scripts/setup test
	@scripts/fuzz "$(T)" "$(or $(SECONDS),60)"

# Kills, power cuts and stopped roles for SECONDS (120), from SEED (the time); T6.
torture:
	@scripts/setup test
	@scripts/build $(BUILD)
	@scripts/torture "$(or $(SECONDS),120)" $(SEED)

bench: bench-all
bench-%:
	@scripts/setup test
	@scripts/build $(BUILD)
	@bench/run $(BUILD) $*

format:
	@git ls-files '*.c' '*.h' | xargs clang-format -i

clean:
	rm -rf build build-san build-fuzz
