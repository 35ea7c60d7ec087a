"""Work that outlives a stop: a long text read into a folder, many texts made into files."""
