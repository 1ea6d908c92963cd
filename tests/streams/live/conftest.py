import sys
from pathlib import Path

# Renderer processes must be able to import what the tests hand them.
sys.path.insert(0, str(Path(__file__).parent))
