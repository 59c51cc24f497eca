"""Artifacts at work: ONNX Runtime, rows to inputs, services; numpy and ONNX Runtime only."""
