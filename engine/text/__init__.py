"""From a text to what a model can say: token ids, and chunks that are short enough."""
