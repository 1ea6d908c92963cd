"""Runs and networks as Brain-Score models: a plug-in folder, written without the package."""
