"""Rows of the zoo: sequence networks."""

from tradespace.graph.zoo._catalogue import NetworkRow

ROWS: tuple[NetworkRow, ...] = ()
