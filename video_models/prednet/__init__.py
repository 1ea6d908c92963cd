"""PredNet: a recurrent network that predicts what it will see, and passes up where it was wrong."""
