"""nerfacto trained with tiny-cuda-nn: a function of its own."""
