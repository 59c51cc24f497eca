"""Ready studies, with generators of their data."""
