"""One module a folder of fixtures; `make(folder)` fills it."""
