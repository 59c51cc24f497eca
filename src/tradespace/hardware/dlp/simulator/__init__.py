"""Simulators of the processor: how long a program takes, and what it computes.

``reference`` is the definition, slow and plain; ``closed_form`` gives the same times without
unrolling loops; ``tokens`` lets each operation start when its own data are ready;
``functional`` executes addressed programs on numpy data.
"""
