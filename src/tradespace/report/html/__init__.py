"""Decisions and networks as self-contained HTML files that work offline."""
