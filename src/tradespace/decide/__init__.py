"""From readings to a decision: checks, the Pareto front, utility, ties, reasons."""
