"""Pictures of 3D Gaussians along rays."""
