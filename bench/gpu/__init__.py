"""What alrakis does on one GPU, measured in a few minutes: `python -m alrakis.bench.gpu`."""
