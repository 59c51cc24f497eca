"""From a network to the work that its operators ask of a processor."""

from __future__ import annotations

from collections.abc import Sequence

from tradespace.graph.counts import NodeCounts, node_counts
from tradespace.graph.formulas import formula
from tradespace.graph.network import Network
from tradespace.graph.work import Work


def network_works(network: Network, rows: Sequence[NodeCounts] | None = None) -> list[Work]:
    """Return the work of every operator of a forward pass.

    Views are among them, with nothing to compute and nothing to move: some runtimes copy for
    them all the same. `rows` are the counts of the network's nodes, where they are at hand.
    """
    return [
        _work(network, row)
        for row in (node_counts(network) if rows is None else rows)
        if row.node.operator != "dropout"
    ]


def _work(network: Network, row: NodeCounts) -> Work:
    outputs = [network.tensors[i] for i in row.node.outputs]
    write = sum(t.size_bytes for t in outputs)
    batch = m = n = k = groups = 0
    if row.operator.product and row.macs:
        batch, m, n, k, groups = (formula(text)(row.symbols) for text in row.operator.product)
    return Work(
        name=row.node.name,
        operator=row.node.operator,
        kind=row.operator.kind,
        macs=row.macs,
        operations=row.operations,
        read_bytes=max(0, row.traffic_bytes - write),
        write_bytes=min(write, row.traffic_bytes),
        weight_bytes=min(row.symbols["B_w"], row.traffic_bytes),
        batch=batch,
        m=m,
        n=n,
        k=k,
        groups=groups,
        window=formula(row.operator.window)(row.symbols),
        elements=row.elements,
        format=outputs[0].format if outputs else "fp32",
        fusible=row.operator.fusible,
    )
