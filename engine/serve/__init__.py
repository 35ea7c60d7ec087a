"""A server: OpenAI's speech interface, a page, and Home Assistant's Wyoming, over one engine."""
