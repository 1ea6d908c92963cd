"""How far maps agree, and what any agreement must beat."""
