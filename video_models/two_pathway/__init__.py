"""Two parallel paths of a 3D ResNet (Bakhtiari et al. 2021)."""
