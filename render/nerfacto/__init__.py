"""nerfacto on the CPU: compiled loops over tiles of samples."""
