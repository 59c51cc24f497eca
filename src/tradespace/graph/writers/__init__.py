"""Networks as files that runtimes can run, with random weights of the right shapes."""
