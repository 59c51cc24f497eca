"""The study file: its schema, what it means, its JSON Schema, and drafts of new ones."""
