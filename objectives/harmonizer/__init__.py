"""The neural harmonizer: saliency that agrees with where people look (Fel et al. 2022)."""
