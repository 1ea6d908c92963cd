"""Encoders around networks of other libraries, and of your own."""
