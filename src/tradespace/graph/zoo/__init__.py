"""Well-known networks as graph builders without weights; nothing is downloaded or allocated."""

from tradespace.graph.zoo._catalogue import NetworkRow as NetworkRow
from tradespace.graph.zoo._catalogue import network as network
from tradespace.graph.zoo._catalogue import network_row as network_row
from tradespace.graph.zoo._catalogue import networks as networks
