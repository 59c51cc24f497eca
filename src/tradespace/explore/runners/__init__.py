"""Where trials run: one small interface, workers on this machine behind it."""
