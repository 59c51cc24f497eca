"""Readers: networks from torch modules, ONNX files and Keras files."""
