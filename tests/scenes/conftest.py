import sys
from pathlib import Path

# Checkpoints in others' layouts are written by a module beside the tests.
sys.path.insert(0, str(Path(__file__).parent))
