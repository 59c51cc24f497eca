"""What a person writes: YAML with places, quantities, Python files and what of them may run."""
