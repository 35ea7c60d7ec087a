"""Listening to takes: how good each is, and when its words are said."""
