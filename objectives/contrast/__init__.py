"""Contrastive predictive coding: telling what comes from everything else."""
