"""A video transformer."""
