"""DorsalNet, a small 3D ResNet of the primate dorsal pathway."""
