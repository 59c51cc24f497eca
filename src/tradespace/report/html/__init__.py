"""One self-contained HTML file; see docs/architecture.md for what this floor holds."""
