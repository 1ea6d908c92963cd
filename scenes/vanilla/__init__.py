"""Vanilla NeRFs: two networks of positional encodings and hierarchical sampling."""
