"""Which renderer a plan's clips are made by: processes, or a thread beside a GPU's trainer."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace

from ...render.render_clip import ClipSettings
from ..crew import wants_gpu
from ..job import ClipMaker
from ..plain import from_plain, to_plain
from ..plan import Plan
from ..scene_clips import portable_clips
from .options import LiveOptions
from .processes import ProcessRenderer
from .ring import Ring
from .task import Renderer
from .thread import ThreadRenderer


def pixels_only(plan: Plan) -> Plan:
    """Return a plan of the same clips without what training does not look at."""
    settings = from_plain(ClipSettings, plan.settings, where="plan.json: settings")
    bare = replace(settings, truth=(), depth=False, signals=False)
    return replace(plan, settings=to_plain(bare))


@contextmanager
def open_renderer(
    plan: Plan, make_clip: ClipMaker, ring: Ring, options: LiveOptions
) -> Iterator[Renderer]:
    """Yield a renderer of a plan's clips, and end it afterwards.

    Raises:
        ValueError: a GPU was named for clips that are rendered on the CPU.
    """
    on_gpu = wants_gpu(plan)
    if options.render_gpu is not None and not on_gpu:
        raise ValueError(
            f"expected clips with renderer.device cuda for render_gpu={options.render_gpu}, got "
            "the device cpu; ask for the device cuda, or leave render_gpu out"
        )
    bare = pixels_only(plan)
    with ExitStack() as stack:
        renderer: Renderer
        if on_gpu and options.render_gpu is None:
            renderer = ThreadRenderer(bare, make_clip, ring, side_stream=True)
        else:
            renderer = ProcessRenderer(
                bare,
                stack.enter_context(portable_clips(make_clip)),
                ring,
                workers=options.render_workers,
                threads=options.threads_of_renderers,
                gpu=options.render_gpu,
            )
        stack.callback(renderer.close)
        yield renderer
