"""Features written out once: builds, joins of labels, the catalogue, checks of skew."""
