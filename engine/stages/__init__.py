"""The token algorithms of Bark's three stages, with no framework in them."""
