"""Books of other people: text, Markdown, HTML and EPUB, as chapters of what is read aloud."""
