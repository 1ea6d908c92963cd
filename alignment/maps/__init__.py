"""Human maps: what they are, and their files."""
