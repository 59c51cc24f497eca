"""The rows of a study: sources, kinds of columns, labels, splits, exclusions."""
