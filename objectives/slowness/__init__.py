"""Slow feature analysis: in closed form, and as a loss for deep networks."""
