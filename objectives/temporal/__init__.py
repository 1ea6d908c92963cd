"""Learning from when things are seen: what follows soon is like it, and all else is not."""
