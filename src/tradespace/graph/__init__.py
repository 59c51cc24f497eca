"""Networks as operators over tensors: what is counted, priced and compiled.

Parts: `network` (the records), `operators` (what each operator does and costs, as formulas),
`builder` (making networks by hand), `readers` (from torch, ONNX and Keras), `zoo` (well-known
networks), `counts`, `memory` and `receptive_field` (what a network costs, on no machine in
particular), `works` (what it asks of a machine).
"""
