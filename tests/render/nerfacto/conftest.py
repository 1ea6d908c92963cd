import os
import sys
from pathlib import Path

import torch

sys.path.insert(0, str(Path(__file__).parent))

# Where there is no GPU, Triton's kernels run in its interpreter. Asked for before triton is first
# imported, because that is when its own functions are declared as one or the other.
if not torch.cuda.is_available():
    os.environ.setdefault("TRITON_INTERPRET", "1")
