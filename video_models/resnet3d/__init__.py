"""A small 3D ResNet."""
