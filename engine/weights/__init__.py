"""Where parameters come from, read into plain arrays."""
