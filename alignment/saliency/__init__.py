"""Saliency of an encoder: which scalar, and how its gradient becomes a map."""
