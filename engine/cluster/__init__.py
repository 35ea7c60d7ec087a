"""Many machines: the rows of a batch, or the chunks of a text, said by workers of a Ray cluster."""
