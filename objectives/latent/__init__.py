"""Prediction of features, where the features to predict come from a slow copy of the encoder."""
