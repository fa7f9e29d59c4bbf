# Backflow. `make demo` and `make test` each work alone on a fresh Debian 12 with Swift 6: they
# install what is missing, build, and do their work.

PREFIX ?= /usr/local
BACKFLOW = .build/release/backflow
SHARE = $(DESTDIR)$(PREFIX)/share

.PHONY: build deb demo deps deps-deb deps-test format fuzz fuzz-commands install lint reference sessions-long \
  test test-deb test-edit test-jupyter test-kill test-terminal

build: deps
	swift build -c release --product backflow

# The main job on the embedded phantom; pictures go to out/demo/.
demo: build
	@echo "Running sessions/02-first-denoise.session"
	@$(BACKFLOW) run sessions/02-first-denoise.session --out out/demo
	@echo "Pictures:"
	@ls -1 $(CURDIR)/out/demo/*.png

# One set of objects with the release build, so that kernels are fast in the tests.
test: deps-test lint
	swift build -c release --product backflow
	@Scripts/run-tests

# Random keys at the prompt, as in the tests but more of them: make test-terminal LENGTH=50
LENGTH ?= 10
test-terminal: deps-test
	BACKFLOW_TERMINAL=$(LENGTH) Scripts/run-tests --filter "random keys"

# Kills a prompt in the middle, as in the tests but more often: make test-kill KILLS=1000
KILLS ?= 200
test-kill: deps-test
	BACKFLOW_KILLS=$(KILLS) Scripts/run-tests --filter "program is killed"

# Edits lines of the sessions at random, as in the tests but more often: make test-edit EDITS=5000
EDITS ?= 500
test-edit: deps-test
	BACKFLOW_EDITS=$(EDITS) Scripts/run-tests --filter "Random edits"

# Damaged DICOM files, as in the tests but more of them: make fuzz MUTATIONS=100000
# Then random commands.
MUTATIONS ?= 20000
fuzz: deps-test fuzz-commands
	MUTATIONS=$(MUTATIONS) Scripts/run-tests --filter MutationTests

# Random commands, as in the tests but more of them: make fuzz-commands COMMANDS=1000000 SEED=100
COMMANDS ?= 200000
SEED ?= 1
fuzz-commands: deps-test
	BACKFLOW_COMMANDS=$(COMMANDS) BACKFLOW_SEED=$(SEED) \
	  Scripts/run-tests --filter "under random commands"

# Sessions that take minutes to hours; pictures and transcripts go to out/.
sessions-long: build
	@for session in sessions/long/*.session; do \
	  echo "Running $$session"; $(BACKFLOW) run $$session || exit 1; done

# The kernel under Jupyter's own tests and clients, in a Python environment below .build.
test-jupyter: build
	@Scripts/test-jupyter

# backflow_VERSION_ARCH.deb below .build, for a Debian 12 without Swift.
deb: deps-deb
	@Scripts/make-deb

# The package in a fresh Debian 12; as root.
test-deb: deb
	@Scripts/test-deb

lint:
	swift format lint --strict --recursive Package.swift Sources Tests

format:
	swift format --in-place --recursive Package.swift Sources Tests

deps:
	@Scripts/install-dependencies

# What tests compare with, too.
deps-test:
	@Scripts/install-dependencies --tests

# What makes and checks packages, too.
deps-deb:
	@Scripts/install-dependencies --packaging

# docs/commands.md is what the program prints.
reference: build
	$(BACKFLOW) reference > docs/commands.md

# The program, its manual page, and the completion of its options in shells.
install: build
	install -D -m 755 $(BACKFLOW) $(DESTDIR)$(PREFIX)/bin/backflow
	install -d $(SHARE)/man/man1 $(SHARE)/bash-completion/completions \
	  $(SHARE)/zsh/site-functions $(SHARE)/fish/vendor_completions.d
	$(BACKFLOW) reference --man > $(SHARE)/man/man1/backflow.1
	$(BACKFLOW) --generate-completion-script bash \
	  > $(SHARE)/bash-completion/completions/backflow
	$(BACKFLOW) --generate-completion-script zsh > $(SHARE)/zsh/site-functions/_backflow
	$(BACKFLOW) --generate-completion-script fish \
	  > $(SHARE)/fish/vendor_completions.d/backflow.fish
