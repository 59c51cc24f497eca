"""See docs/architecture.md for what this floor holds."""
