"""What a cluster costs: the one process that plans and writes, and a worker beside an engine."""
