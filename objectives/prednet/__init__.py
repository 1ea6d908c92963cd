"""Learning from the errors that a predicting network makes itself."""
