"""The scheduler: a layer and a machine in, a near-optimal program and its bound out.

``plans`` lists ways of doing a layer and bounds each from below; ``streaming``, ``tiling`` and
``planewise`` turn one of them into *work*: computations in order, with what each must find in
memory and what it leaves; ``balance`` deals the moves to the segments; ``search`` looks for the
best; ``emit`` and ``rolling`` write the program.
"""
