"""Long texts: chunks in full batches, one voice a speaker, and the pieces joined."""
