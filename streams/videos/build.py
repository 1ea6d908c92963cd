"""From what lies in a folder to recordings that clips can be cut from, or why they cannot."""

from collections.abc import Mapping
from fnmatch import fnmatchcase
from pathlib import Path

from .cut import ClipCut
from .errors import Unusable
from .find import Found, Moments, Source, depth_key
from .fit import View, require_size
from .movie import Movie, index_movie
from .pairs import paired
from .pictures import Pictures, picture_size, read_codes, read_rgb
from .poses import world_from_cameras
from .recording import Camera, Recording
from .times import picture_times_s
from .window import require_rate


def build_recordings(found: Found, cut: ClipCut) -> tuple[list[Recording], dict[str, str]]:
    """Return the recordings of a folder, and what gives none, by name, and why."""
    skipped = {name: why for name, why in found.skipped.items() if _wanted(name, cut)}
    colour = {s.name: s for s in found.sources if not s.is_depth}
    depth = {depth_key(s): s for s in found.sources if s.is_depth}
    taken = {depth_key(source) for source in colour.values()}
    for key, source in depth.items():
        if key not in taken and _wanted(source.name, cut):
            skipped[source.name] = "depth pictures without colour pictures of the same numbers"
    pairs = paired(colour) if cut.layout == "auto" else {}
    recordings = []
    for name, source in colour.items():
        if name in pairs.values() or not _wanted(name, cut):
            continue
        right = colour[pairs[name]] if name in pairs else None
        try:
            recordings.append(_recording(source, right, depth, cut))
        except (Unusable, OSError) as error:
            skipped[name] = str(error)
    return recordings, skipped


def _wanted(name: str, cut: ClipCut) -> bool:
    return not cut.only or any(fnmatchcase(name, pattern) for pattern in cut.only)


def _recording(
    left: Source, right: Source | None, depth: Mapping[Moments, Source], cut: ClipCut
) -> Recording:
    eyes = (left,) if right is None or cut.eyes == 1 else (left, right)
    cameras = tuple(_camera(source, cut) for source in eyes)
    views, stereo = _views(cameras, cut)
    if cut.eyes == 2 and len(views) == 1:
        raise Unusable("it has one eye, and two were asked for")
    if len(eyes) == 2:
        stereo = f"pair with {eyes[1].name}"
    require_size(cameras[0].height, cameras[0].width, views[0], cut.size_px)
    for camera in cameras:
        require_rate(camera.times_s, cut)
    _require_alike(cameras)
    poses = None
    if left.numbers is not None and len(cameras) == len(views):
        poses = world_from_cameras(left, eyes[1] if len(eyes) == 2 else None)
    return Recording(
        name=left.name,
        cameras=cameras,
        views=views,
        stereo=stereo,
        depth=_depth_files(eyes, cameras, depth, cut),
        world_from_eye=poses,
    )


def _camera(source: Source, cut: ClipCut) -> Camera:
    if source.numbers is None:
        return index_movie(source.paths[0])
    if len(source.paths) < cut.frames:
        raise Unusable(f"it has {len(source.paths)} pictures, and a clip {cut.frames} frames")
    height, width = picture_size(source.paths[0])
    try:
        read_rgb(source.paths[0])
    except RuntimeError as error:
        raise Unusable(str(error)) from error
    return Pictures(
        paths=source.paths,
        numbers=source.numbers,
        times_s=picture_times_s(source, cut.picture_rate_hz),
        height=height,
        width=width,
    )


def _views(cameras: tuple[Camera, ...], cut: ClipCut) -> tuple[tuple[View, ...], str]:
    """Return the views of each eye, and in words where the eyes are."""
    layout, right_first = cut.layout, cut.right_first
    said = cameras[0].packing
    if layout == "auto" and len(cameras) == 1 and said is not None:
        layout, right_first = said
    whole = tuple(_whole(camera, cut) for camera in cameras)
    if layout not in ("side_by_side", "top_bottom"):
        return whole, "one eye"
    axis = 1 if layout == "side_by_side" else 0
    aspect = whole[0].pixel_aspect
    if cut.squeezed:
        aspect = aspect * 2 if axis == 1 else aspect / 2
    halves = [View(whole[0].turns, (half, axis), aspect) for half in (0, 1)]
    words = layout.replace("_", " ") + (", right eye first" if right_first else "")
    in_order = halves[::-1] if right_first else halves
    return tuple(in_order[: cut.eyes]), words if cut.eyes != 1 else f"left eye of {words}"


def _whole(camera: Camera, cut: ClipCut) -> View:
    turns = (camera.turns - cut.turn_deg // 90) % 4
    on_its_side = turns % 2 == 1
    aspect = 1 / camera.pixel_aspect if on_its_side else camera.pixel_aspect
    return View(turns, None, aspect)


def _require_alike(cameras: tuple[Camera, ...]) -> None:
    """Refuse two eyes whose pictures do not belong together."""
    left, right = cameras[0], cameras[-1]
    if (left.height, left.width, left.turns) != (right.height, right.width, right.turns):
        raise Unusable(
            f"its left eye has {left.width} x {left.height} px and its right {right.width} x "
            f"{right.height} px, or one is turned; expected two alike"
        )
    if not isinstance(left, Pictures) or not isinstance(right, Pictures):
        return
    if left.numbers != right.numbers:
        alone = sorted(set(left.numbers) ^ set(right.numbers))
        raise Unusable(
            f"its eyes have pictures of different numbers: {len(alone)} are in one eye only, the "
            f"first is {alone[0]}"
        )


def _depth_files(
    eyes: tuple[Source, ...],
    cameras: tuple[Camera, ...],
    depth: Mapping[Moments, Source],
    cut: ClipCut,
) -> tuple[tuple[Path, ...], ...] | None:
    if cut.depth_unit_m is None or any(isinstance(camera, Movie) for camera in cameras):
        return None
    sources = [depth.get(depth_key(source)) for source in eyes]
    there = [source for source in sources if source is not None]
    if len(there) < len(eyes):
        return None
    for camera, source in zip(cameras, there, strict=True):
        try:
            shape = read_codes(source.paths[0]).shape
        except RuntimeError as error:
            raise Unusable(f"its depth cannot be read: {error}") from error
        if shape != (camera.height, camera.width):
            raise Unusable(
                f"its depth pictures are {shape[1]} x {shape[0]} px, and its colour pictures "
                f"{camera.width} x {camera.height}"
            )
    return tuple(source.paths for source in there)
