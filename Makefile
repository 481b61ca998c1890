# mkvbench: build, test and try it.
#
#   make            the tools: build/mkvbench, build/mkvbench-verify and the
#                   programs that images carry (build/programs/)
#   make deps       install what building and testing need (Debian 12 or 13; root)
#   make demo       install what building and using need (Debian 12 or 13; root),
#                   build the tools and the kvm-docker appliance, print a summary
#   make check      deps, then every test in parallel: unit, integration, boot
#   make check-scenarios  all four scenarios booted as a whole (emulated: half an hour)
#   make check-fast the tests that need neither network nor a boot: a minute or two
#   make unit TEST=NAME  build and run unit tests, by their names: "tar fat"
#   make units      build all unit tests and the programs that tests drive
#   tests/run --all REGEX  run some tests of a finished build (tests/README.md)
#   make repro      build under varied circumstances and compare every digest
#   make bench      measure builds beside mmdebstrap and mke2fs
#   make bench-services  the services: a long run, rates, spans (20 minutes)
#   make bench-loadgen  the load generator beside others (3 minutes)
#   make fuzz       parsers under ASan and UBSan, FUZZ_SECONDS (10) each
#   make install    into $(DESTDIR)$(prefix)
#   make deb        the Debian package of this version, into $(BUILD)/deb
#   make clean      take build/ away
#   make help       this text
#
# Settings: CC, CFLAGS, BUILD (build), SANITIZE=1 (ASan and UBSan),
#           TESTS=REGEX (only tests whose name matches), JOBS (tests in parallel),
#           V=1 (show commands)
#           MKVBENCH_CLOCK_ROUNDS (6; 25 for 100 measurements in each guest's clock)

CC ?= gcc
BUILD ?= build
# Files of dependencies (*.d) name objects as the make that wrote them did: one name
# for one directory, however it is given.
override BUILD := $(patsubst $(CURDIR)/%,%,$(abspath $(BUILD)))
prefix ?= /usr/local
bash_completions ?= $(prefix)/share/bash-completion/completions
zsh_completions ?= $(prefix)/share/zsh/site-functions
PKG_CONFIG ?= pkg-config
VERSION := 0.1.0

# Where the sources lie and when they were compiled must not show in a program.
CFLAGS ?= -O2 -g
MKV_CFLAGS := -std=gnu17 -D_GNU_SOURCE -D_FILE_OFFSET_BITS=64 -I. \
	-DMKV_VERSION='"$(VERSION)"' -Wall -Wextra -Wconversion -Wshadow \
	-Wno-format-truncation -Wno-unknown-warning-option -Werror \
	-ffunction-sections -fdata-sections -fstack-protector-strong -fPIE \
	-ffile-prefix-map=$(CURDIR)=. -MMD -MP
MKV_LDFLAGS := -pie -Wl,-z,relro,-z,now,--gc-sections
ifdef SANITIZE
override BUILD := $(BUILD)/sanitize
MKV_CFLAGS += -fsanitize=address,undefined -fno-sanitize-recover=all
MKV_LDFLAGS += -fsanitize=address,undefined
endif

Q := $(if $(V),,@)
say = $(if $(V),,@printf '  %-3s %s\n' $(1) $(2))

# What each program links; docs/ARCHITECTURE.md says which directory uses what.
LIB_PKGS := libcrypto jansson
BUILDER_PKGS := $(LIB_PKGS) yaml-0.1 libsolv libsolvext ext2fs com_err \
	libarchive libcurl libzstd liblzma zlib libvirt libxml-2.0
BUILDER_LIBS = $(shell $(PKG_CONFIG) --libs $(BUILDER_PKGS) fdisk) -lguestfs -lpthread
LIB_LIBS = $(shell $(PKG_CONFIG) --libs $(LIB_PKGS))
# Only what the verifier itself needs from an image: libc and libcrypto.
VERIFY_LIBS = -l:libjansson.a -lcrypto

objects = $(patsubst %.c,$(BUILD)/obj/%.o,$(sort $(1)))
LIB_OBJ := $(call objects,$(wildcard lib/*.c))
BUILDER_OBJ := $(call objects,$(filter-out builder/main.c,$(shell find builder -name '*.c')))
VERIFY_OBJ := $(call objects,$(filter-out verify/main.c,$(shell find verify -name '*.c')))
# Each directory of programs/boot/, programs/study/ and programs/campaign/ is one
# program; they share programs/lib/.
PROGRAM_DIRS := $(patsubst %/,%,$(sort $(wildcard programs/*/*/)))
PROGRAMS := $(notdir $(PROGRAM_DIRS))
PROGRAMS_LIB_OBJ := $(call objects,$(wildcard programs/lib/*.c))
PROGRAM_BINS := $(PROGRAMS:%=$(BUILD)/programs/%)
UNIT_TESTS := $(patsubst tests/unit/%.c,$(BUILD)/tests/unit/%,$(sort $(wildcard tests/unit/*_test.c)))
TEST_TOOLS := $(patsubst tests/tools/%.c,$(BUILD)/tests/tools/%,$(sort $(wildcard tests/tools/*.c)))
FUZZERS := $(patsubst tests/fuzz/%.c,$(BUILD)/tests/fuzz/%,$(sort $(wildcard tests/fuzz/*_fuzz.c)))

# Objects of tests are kept: a change of the library only links them again.
.SECONDARY:
.PHONY: all deps demo unit check check-fast check-scenarios repro bench bench-services bench-loadgen fuzz fuzzers verify-fuzzers install deb clean help units test-deps
all: $(BUILD)/mkvbench $(if $(wildcard verify/main.c),$(BUILD)/mkvbench-verify) $(PROGRAM_BINS)

# What a section of .ci/packages.txt names is there: looked for before the first
# compilation, and again when one fails.
check_deps = CC="$(CC)" PKG_CONFIG="$(PKG_CONFIG)" .ci/check-deps
TEST_DEPS := $(BUILD)/deps/testing
$(BUILD)/deps/building: .ci/packages.txt .ci/check-deps
	@mkdir -p $(@D)
	@$(check_deps) building
	@touch $@
$(TEST_DEPS): .ci/packages.txt .ci/check-deps
	@mkdir -p $(@D)
	@$(check_deps) building testing
	@touch $@
test-deps:
	@$(check_deps) building testing
define compile # sections
	@mkdir -p $(@D)
	$(call say,CC,$@)
	$(Q)$(CC) $(MKV_CFLAGS) $(CFLAGS) -c $< -o $@ || { $(check_deps) $(1); exit 1; }
endef
$(BUILD)/obj/%.o: %.c | $(BUILD)/deps/building
	$(call compile,building)
$(BUILD)/obj/tests/%.o: tests/%.c | $(TEST_DEPS)
	$(call compile,building testing)

# The one library whose headers are in a directory of their own.
$(BUILD)/obj/builder/format/libvirt/%.o: MKV_CFLAGS += $(shell $(PKG_CONFIG) --cflags-only-I libxml-2.0 2>/dev/null | sed 's/-I/-isystem /g')

$(BUILD)/lib.a: $(LIB_OBJ)
	@rm -f $@
	$(Q)$(AR) rcD $@ $^
# The code that makes what the store keeps is an input of those steps. It is what
# the linker reaches from builder/build/steps/, function by function and without
# debugging data: an edit elsewhere, or of a comment, makes no step run again.
STEPS_OBJ := $(filter $(BUILD)/obj/builder/build/steps/%,$(BUILDER_OBJ))
$(BUILD)/obj/steps.o: $(BUILDER_OBJ) $(LIB_OBJ)
	$(Q)rm -f $@.a && $(AR) rcDT $@.a $(filter-out $(STEPS_OBJ),$^)
	$(Q)roots=$$(nm -g --defined-only $(STEPS_OBJ) | sed -n 's/.* T /-u /p') && \
		$(LD) -r --gc-sections $$roots -o $@ $(STEPS_OBJ) $@.a
	$(Q)strip --strip-unneeded -R .comment $@
$(BUILD)/obj/steps_code.o: $(BUILD)/obj/steps.o
	$(Q)sum=$$(sha256sum <$< | cut -c 1-64) && \
		echo "const char mkv_steps_code[] = \"$$sum\";" | \
		$(CC) -x c -fPIE -c - -o $@
$(BUILD)/builder.a: $(BUILDER_OBJ) $(BUILD)/obj/steps_code.o
	@rm -f $@
	$(Q)$(AR) rcD $@ $^
$(BUILD)/verify.a: $(VERIFY_OBJ)
	@rm -f $@
	$(Q)$(AR) rcD $@ $^

$(BUILD)/mkvbench: $(BUILD)/obj/builder/main.o $(BUILD)/builder.a $(BUILD)/lib.a
	$(call say,LD,$@)
	$(Q)$(CC) $(MKV_LDFLAGS) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(BUILDER_LIBS)

# It goes into images: without debugging data.
$(BUILD)/mkvbench-verify: $(BUILD)/obj/verify/main.o $(BUILD)/verify.a $(BUILD)/lib.a
	$(call say,LD,$@)
	$(Q)$(CC) $(MKV_LDFLAGS) $(CFLAGS) $(LDFLAGS) -s -o $@ $^ $(VERIFY_LIBS)

$(BUILD)/programs.a: $(PROGRAMS_LIB_OBJ)
	@rm -f $@
	$(Q)$(AR) rcD $@ $^

# What a program links instead of VERIFY_LIBS is in its file `link`.
define program_rule
$(BUILD)/programs/$(notdir $(1)): $(call objects,$(wildcard $(1)/*.c)) $(BUILD)/programs.a $(BUILD)/lib.a $(wildcard $(1)/link)
	@mkdir -p $$(@D)
	$$(call say,LD,$$@)
	$$(Q)$$(CC) $$(MKV_LDFLAGS) $$(CFLAGS) $$(LDFLAGS) -s -o $$@ $$(filter %.o %.a,$$^) $$(or $$(shell cat $(1)/link 2>/dev/null),$$(VERIFY_LIBS))
endef
$(foreach d,$(PROGRAM_DIRS),$(eval $(call program_rule,$(d))))
# A static program can't hold the sanitizers, and isn't a -pie one.
$(BUILD)/obj/programs/boot/initramfs/%.o: MKV_CFLAGS := $(filter-out -fsanitize=%,$(MKV_CFLAGS))
$(BUILD)/programs/initramfs: MKV_LDFLAGS := -Wl,-z,relro

$(BUILD)/tests/unit/%: $(BUILD)/obj/tests/unit/%.o $(BUILD)/builder.a $(BUILD)/verify.a $(BUILD)/programs.a $(BUILD)/lib.a
	@mkdir -p $(@D)
	$(call say,LD,$@)
	$(Q)$(CC) $(MKV_LDFLAGS) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(BUILDER_LIBS) -lcmocka
$(BUILD)/tests/fuzz/%: $(BUILD)/obj/tests/fuzz/%.o $(BUILD)/builder.a $(BUILD)/verify.a $(BUILD)/programs.a $(BUILD)/lib.a
	@mkdir -p $(@D)
	$(call say,LD,$@)
	$(Q)$(CC) $(MKV_LDFLAGS) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(BUILDER_LIBS)
# Those that ask nothing of the builder do without it: tests build them.
VERIFY_FUZZERS := $(patsubst tests/fuzz/%.c,$(BUILD)/tests/fuzz/%,$(sort $(shell grep -LE '"(builder|programs)/' tests/fuzz/*_fuzz.c)))
$(VERIFY_FUZZERS): $(BUILD)/tests/fuzz/%: $(BUILD)/obj/tests/fuzz/%.o $(BUILD)/verify.a $(BUILD)/lib.a
	@mkdir -p $(@D)
	$(call say,LD,$@)
	$(Q)$(CC) $(MKV_LDFLAGS) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(LIB_LIBS)
$(BUILD)/tests/tools/%: $(BUILD)/obj/tests/tools/%.o $(BUILD)/builder.a $(BUILD)/programs.a $(BUILD)/lib.a
	@mkdir -p $(@D)
	$(call say,LD,$@)
	$(Q)$(CC) $(MKV_LDFLAGS) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(BUILDER_LIBS)
# Runs where there are no libraries.
$(BUILD)/tests/tools/%_static: tests/tools/%_static.c | $(TEST_DEPS)
	@mkdir -p $(@D)
	$(call say,LD,$@)
	$(Q)$(CC) -std=gnu17 -D_GNU_SOURCE -Wall -Wextra -Werror -O2 -static -o $@ $<
units: test-deps $(UNIT_TESTS) $(TEST_TOOLS)

# make unit TEST="NAME...": names as in tests/unit/NAME_test.c.
comma := ,
UNIT_NAMES := $(UNIT_TESTS:$(BUILD)/tests/unit/%_test=%)
UNIT_WANTED := $(patsubst %_test,%,$(patsubst %.c,%,$(notdir $(subst $(comma), ,$(TEST)))))
UNIT_UNKNOWN := $(filter-out $(UNIT_NAMES),$(UNIT_WANTED))
# The programs of tests/tools/ that these tests run.
UNIT_DRIVES := $(foreach t,$(UNIT_WANTED),$(shell sed -n 's,.*/\(tools/[a-z_]*\)".*,$(BUILD)/tests/\1,p' tests/unit/$(t)_test.c 2>/dev/null))
unit: test-deps $(if $(UNIT_UNKNOWN),,$(UNIT_WANTED:%=$(BUILD)/tests/unit/%_test) $(UNIT_DRIVES))
	@tests/lib/check_unit_names '$(UNIT_NAMES)' $(UNIT_WANTED)
	@for t in $(UNIT_WANTED); do $(BUILD)/tests/unit/$${t}_test || exit 1; done

deps:
	.ci/install-deps

check: deps
	$(MAKE) all units
	BUILD=$(BUILD) tests/run --all $(TESTS)
check-scenarios: units all
	SCENARIOS=1 TEST_TIMEOUT=3600 BUILD=$(BUILD) tests/run --all 'boot/67'
check-fast: units all
	BUILD=$(BUILD) tests/run --fast $(TESTS)
repro: test-deps all
	BUILD=$(BUILD) tests/repro
bench: test-deps all
	BUILD=$(BUILD) tests/bench/run
bench-services: units all
	BUILD=$(BUILD) tests/bench/services
bench-loadgen: units all
	BUILD=$(BUILD) tests/bench/loadgen
FUZZ_SECONDS ?= 10
fuzzers: $(FUZZERS)
verify-fuzzers: $(VERIFY_FUZZERS)
fuzz: test-deps
	$(MAKE) SANITIZE=1 fuzzers
	@for f in $(FUZZERS:$(BUILD)/%=$(BUILD)/sanitize/%); do \
		echo "$$f $(FUZZ_SECONDS)"; $$f $(FUZZ_SECONDS) || exit 1; done
demo:
	@echo '1/3 packages for building and using the tools'
	@.ci/install-deps building using
	@echo '2/3 tools'
	@$(MAKE) --no-print-directory all
	@echo '3/3 appliance'
	@BUILD=$(BUILD) .ci/demo

install: all
	install -D -m 0755 $(BUILD)/mkvbench $(DESTDIR)$(prefix)/bin/mkvbench
	install -D -m 0755 $(BUILD)/mkvbench-verify $(DESTDIR)$(prefix)/lib/mkvbench/mkvbench-verify
	for s in $(PROGRAMS); do install -D -m 0755 $(BUILD)/programs/$$s $(DESTDIR)$(prefix)/lib/mkvbench/programs/$$s; done
	cp -R overlays recipes $(DESTDIR)$(prefix)/lib/mkvbench/
	install -D -m 0644 docs/mkvbench.1 $(DESTDIR)$(prefix)/share/man/man1/mkvbench.1
	install -D -m 0644 docs/mkvbench-verify.8 $(DESTDIR)$(prefix)/share/man/man8/mkvbench-verify.8
	for shell in bash zsh; do mkdir -p $(BUILD)/completion/$$shell && \
		$(BUILD)/mkvbench completion $$shell >$(BUILD)/completion/$$shell/mkvbench && \
		$(BUILD)/mkvbench-verify --completion $$shell >$(BUILD)/completion/$$shell/mkvbench-verify || exit 1; done
	for program in mkvbench mkvbench-verify; do \
		install -D -m 0644 $(BUILD)/completion/bash/$$program $(DESTDIR)$(bash_completions)/$$program && \
		install -D -m 0644 $(BUILD)/completion/zsh/$$program $(DESTDIR)$(zsh_completions)/_$$program || exit 1; done

deb:
	BUILD=$(BUILD) VERSION=$(VERSION) .ci/deb

clean:
	rm -rf $(BUILD)

help:
	@sed -n '/^#/!q;s/^# \{0,1\}//p' Makefile

-include $(shell find $(BUILD) -name '*.d' 2>/dev/null)
