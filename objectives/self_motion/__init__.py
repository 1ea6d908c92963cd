"""How the observer moves, told from what it sees."""
