"""What a run leaves on disk: trials, artifacts, the lock of its folder."""
