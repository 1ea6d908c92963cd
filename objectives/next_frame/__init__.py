"""Prediction of the next frame at the pixels."""
