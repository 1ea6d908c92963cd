"""How fast a file of Gaussians is drawn on this machine's CPU.

python benchmarks/splats.py plant.splat [SIZE ...]

Prints, for one view from 20 degrees above and pictures of each size, CPU seconds and rays per CPU
second, after a first picture that compiles the loops.
"""

import math
import sys
import time
from pathlib import Path

import numpy as np
from merkwelt.render import render_rays
from merkwelt.render.camera import PinholeCamera, rays_of
from merkwelt.scenes.import_options import ImportOptions
from merkwelt.scenes.splats import import_splats

VIEWPOINT = 27


def main() -> None:
    """Measure the file and the sizes of the command line."""
    path = Path(sys.argv[1])
    sizes = [int(size) for size in sys.argv[2:]] or [64, 128, 256]
    scene = import_splats(path, ImportOptions(name=path.stem))
    poses = np.asarray(scene.card.world_from_viewpoint)[VIEWPOINT : VIEWPOINT + 1]
    hfov_rad = math.radians(50)
    render_rays(scene, rays_of(PinholeCamera.from_hfov(hfov_rad, (8, 8)), poses))
    for size in sizes:
        rays = rays_of(PinholeCamera.from_hfov(hfov_rad, (size, size)), poses)
        start = time.process_time()
        render_rays(scene, rays)
        seconds = time.process_time() - start
        print(f"{size} x {size}: {seconds:.2f} CPU s, {len(rays) / seconds:,.0f} rays/s")


if __name__ == "__main__":
    main()
