"""Rows of the zoo: vision networks."""

from tradespace.graph.zoo._catalogue import NetworkRow

ROWS: tuple[NetworkRow, ...] = ()
