"""Exporting weights as ONNX graphs for the ONNX Runtime backend, and measuring what quantization costs."""
