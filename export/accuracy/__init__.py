"""What quantization costs: exported graphs beside fp32, over the same tokens."""
