"""Where networks run: processor profiles, the roofline, and the deep-learning processor."""
