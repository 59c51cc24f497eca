"""Processors and electricity: what they can do, take, cost and emit, each figure with its source.

`processor` and `region` find one by name or read a person's own file; `processors` and
`regions` list what comes with the package.
"""

from tradespace.hardware.profiles.catalogue import processor, processors, region, regions
from tradespace.hardware.profiles.records import Price, Processor, Region, Source

__all__ = [
    "Price",
    "Processor",
    "Region",
    "Source",
    "processor",
    "processors",
    "region",
    "regions",
]
