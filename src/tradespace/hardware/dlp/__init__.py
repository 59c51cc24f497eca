"""The deep-learning processor: programs in, time and distance from the bound out.

A processor with on-chip memories that the program manages itself, a matrix unit and four
instructions. Nothing here is imported until it is asked for; see ``docs/dlp/index.md``.
"""
