"""Prediction of what one eye sees from what the other sees."""
