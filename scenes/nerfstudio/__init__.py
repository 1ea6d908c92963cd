"""Reading runs of nerfstudio, without nerfstudio."""
