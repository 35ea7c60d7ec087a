"""A server: OpenAI's speech interface, a page, and Home Assistant's Wyoming, over one engine."""

LOADING = "alrakis-load"  # the thread that loads weights while the server answers already
