"""Fitted preprocessing that travels inside the artifact: numbers, categories, text, dates."""
