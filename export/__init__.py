"""Checkpoint to ONNX artifacts: graph builder, quantizer, verifier."""
