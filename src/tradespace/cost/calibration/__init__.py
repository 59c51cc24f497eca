"""How fast a machine really is: probes timed once, fitted, and kept."""
