"""The fast renderer: rays that leap from brick to brick."""
