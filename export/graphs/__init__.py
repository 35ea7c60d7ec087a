"""Writing Bark's networks as ONNX graphs."""
