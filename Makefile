# Backflow: `make demo` and `make test` each work alone on a fresh Debian 12 with Swift 6.
.PHONY: deps build demo test lint format install
