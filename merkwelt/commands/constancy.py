"""``merkwelt constancy``."""

from pathlib import Path

from tyro.conf import Positional

from ..console import OUT, progress_bar
from ..saliency_request import SaliencyRequest


def constancy(
    model: Positional[str],
    /,
    *,
    out: Path,
    scene: str = "living_room",
    library: Path | None = None,
    maps: Path | None = None,
    cameras: Path | None = None,
    size: int | None = None,
    views: int = 3,
    objects: int | None = None,
    least_share: float = 0.1,
    tolerance: float = 1.1,
    seed: int = 0,
    saliency: SaliencyRequest = SaliencyRequest(),  # noqa: B008 - frozen
) -> None:
    """Measure whether a model's saliency stays with a thing that is seen from another side.

    Labelled objects of a scene are rendered from several sides, and saliency is carried from view
    to view by the rendered depth. The same network untrained is measured beside it. With --maps
    the views are images with published cameras (ClickMe 2.0 on CO3D), people are compared with
    people and with the model, and depth is a plane through the object, an approximation.

    Args:
        model: a run's folder, or another model as evaluate takes it.
        out: folder for results.json and report.html.
        scene: scene whose labelled objects are looked at.
        library: folder of scenes.
        maps: human maps of images with cameras, such as a ClickMe 2.0 .npz file, in place of a
            scene.
        cameras: constancy_params.json, with --maps: more cameras, which tell where objects are.
        size: side of the pictures in pixels; by default the model's own.
        views: views of each object; all pairs of them are compared.
        objects: at most so many objects; all by default.
        least_share: least share of the picture that both views must see for a pair to count.
        tolerance: ratio of depths up to which two points count as one surface.
        seed: of the viewpoints and of the bootstrap.
        saliency: how saliency is made; part of the score's name.
    """
    from ..alignment.views.constancy import ConstancySettings
    from ..constancy import ConstancyRequest, measure_constancy
    from ..view_pairs import ViewPairSettings

    request = ConstancyRequest(
        scene=scene,
        library=library,
        pairs=ViewPairSettings(views=views, objects=objects),
        size=size,
        maps=maps,
        cameras=cameras,
        saliency=saliency,
        settings=ConstancySettings(least_share=least_share, tolerance=tolerance, seed=seed),
        seed=seed,
    )
    with progress_bar("constancy") as progress:
        done = measure_constancy(model, out, request, progress=progress)
    for line in done.lines:
        OUT.print(line, markup=False)
    OUT.print(f"report: {done.report}", markup=False)
