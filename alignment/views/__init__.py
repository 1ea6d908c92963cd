"""Maps carried from one view of a scene to another, and how constant looking is across views."""
