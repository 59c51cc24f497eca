"""What a run leaves on disk: fits, readings, artifacts by content, the lock of its folder."""
