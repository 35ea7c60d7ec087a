"""The networks on ONNX Runtime."""
