"""Rows of the zoo: keras networks."""

from tradespace.graph.zoo._catalogue import NetworkRow

ROWS: tuple[NetworkRow, ...] = ()
