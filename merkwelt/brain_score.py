"""Runs and image networks as Brain-Score plug-ins, and back from a plug-in to the encoder."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal

from safetensors.torch import load_file, save
from torch import nn

from .alignment.brain_score.plugin import Plugin, identifier_of, regions_by_depth
from .alignment.brain_score.shown import LAYERS, POOLED, key_of, map_names
from .alignment.brain_score.write import write_plugin
from .alignment.models.scored import ScoredModel
from .scored_model import scored_model
from .training.config_file import from_plain, to_plain
from .training.run_folder import load_experiment
from .video_models.build import EncoderConfig, build_encoder

ENCODER, WEIGHTS, MODEL = "encoder.json", "weights.safetensors", "model.json"


@dataclass(frozen=True, kw_only=True)
class BrainScoreRequest:
    """How a model becomes a plug-in."""

    kind: Literal["video", "image"] = "video"
    """``image`` shows pictures as still clips; the only kind of an image network."""
    identifier: str | None = None
    """By default the model's name."""
    fps: float = 25.0
    """Frames a second of the videos that the run was trained on."""
    frames: int | None = None
    """By default the model's own number."""
    size: int | None = None
    """Side of frames in pixels; by default the model's own."""
    layers: tuple[str, ...] = ()
    """By default all maps of a run. Of an image network, names of its modules."""
    regions: dict[str, str] = field(default_factory=dict)
    """Region to layer; by default laid out by depth, which is a guess."""


@dataclass(frozen=True, kw_only=True)
class Exported:
    """Where a plug-in is, and what to tell of it."""

    folder: Path
    plugin: Plugin
    lines: tuple[str, ...]


def export_brain_score(model: str | Path, out: Path, request: BrainScoreRequest) -> Exported:
    """Write a plug-in folder ``out/models/IDENTIFIER`` for Brain-Score.

    Args:
        model: a run's folder, or an image network that `scored_model` knows by name.
        out: a folder, such as a checkout's ``brainscore_vision``.
        request: kind, layers, regions.

    Raises:
        FileNotFoundError: no such model.
        FileExistsError: there is such a plug-in already.
        ValueError: layers, regions or a kind that the model has not.
    """
    scored = scored_model(model)
    is_run = scored.folder is not None
    if not is_run and Path(str(model)).suffix == ".tflite":
        raise ValueError("expected a run or a network by name; a .tflite file is not exported")
    if not is_run and request.kind == "video":
        raise ValueError(
            f"{scored.name} is a network of single images; export it with --kind image"
        )
    plugin = _plugin(scored, request, is_run=is_run)
    files = _files_of_run(scored, scored.folder) if scored.folder else _files_of_name(str(model))
    folder = write_plugin(plugin, out, files)
    return Exported(
        folder=folder, plugin=plugin, lines=_lines(plugin, chosen=bool(request.regions))
    )


def load_plugin_run(folder: Path) -> nn.Module:
    """Return the encoder of a plug-in that was made of a run, in evaluation mode."""
    plain = json.loads((folder / ENCODER).read_text(encoding="utf-8"))
    config: EncoderConfig = from_plain(plain)
    encoder = build_encoder(config)
    encoder.load_state_dict(load_file(folder / WEIGHTS))
    return encoder.eval().requires_grad_(requires_grad=False)


def load_plugin_network(folder: Path) -> nn.Module:
    """Return the network of a plug-in that was made of one by name, as an encoder."""
    words = json.loads((folder / MODEL).read_text(encoding="utf-8"))["model"]
    encoder = scored_model(words).encoder
    assert isinstance(encoder, nn.Module)
    return encoder


def _plugin(scored: ScoredModel, request: BrainScoreRequest, *, is_run: bool) -> Plugin:
    assert isinstance(scored.encoder, nn.Module)
    size = request.size or scored.preparation.size
    frames = request.frames or scored.clip_frames
    maps = map_names(scored.encoder, size, frames)
    there = [f"{LAYERS}.{key_of(name)}" for name in (*maps, POOLED)]
    own = {*maps, POOLED}
    chosen = [f"{LAYERS}.{key_of(each)}" if each in own else each for each in request.layers]
    layers = _known(chosen, there, scored.encoder, is_run=is_run) if chosen else tuple(there)
    formats = {name: "C" if name == f"{LAYERS}.{POOLED}" else "CTHW" for name in layers}
    spread = [name for name in layers if name != f"{LAYERS}.{POOLED}"] or list(layers)
    preparation = scored.preparation
    return Plugin(
        identifier=request.identifier or identifier_of(scored.name),
        kind=request.kind,
        layers=layers,
        formats=formats if request.kind == "video" else {},
        regions=request.regions or regions_by_depth(spread),
        preparation=replace(
            preparation,
            size=size,
            # A run sees whole frames, as Brain-Score's videos are brought to size.
            crop_share=1.0 if is_run else preparation.crop_share,
            whole_image=is_run or preparation.whole_image,
        ),
        frames=frames,
        fps=request.fps,
        loader=f"{__name__}:{'load_plugin_run' if is_run else 'load_plugin_network'}",
        source=f"{scored.name} ({scored.weights})",
    )


def _known(
    layers: Sequence[str], maps: Sequence[str], encoder: nn.Module, *, is_run: bool
) -> tuple[str, ...]:
    """Return layers that there are: maps and, of an image network, its modules."""
    modules = {} if is_run else {f"encoder.{name}" for name, _ in encoder.named_modules() if name}
    found = [f"encoder.network.{x}" if f"encoder.network.{x}" in modules else x for x in layers]
    lost = [each for each in found if each not in maps and each not in modules]
    if lost:
        some = [*maps, *sorted(modules)][:12]
        raise ValueError(
            f"expected layers that the model has, got {', '.join(lost)}; it has {', '.join(some)}"
            f"{' ...' if len(maps) + len(modules) > 12 else ''}"
        )
    return tuple(found)


def _files_of_run(scored: ScoredModel, run: Path) -> dict[str, bytes]:
    assert isinstance(scored.encoder, nn.Module)
    plain = to_plain(load_experiment(run).encoder)
    # Copies, as a file of tensors has no two that share their memory.
    tensors = {
        name: each.clone().contiguous() for name, each in scored.encoder.state_dict().items()
    }
    return {ENCODER: (json.dumps(plain, indent=2) + "\n").encode(), WEIGHTS: save(tensors)}


def _files_of_name(words: str) -> dict[str, bytes]:
    return {MODEL: (json.dumps({"model": words}) + "\n").encode()}


def _lines(plugin: Plugin, *, chosen: bool) -> tuple[str, ...]:
    shown = f"{plugin.frames} frames at {plugin.fps:g} a second"
    if plugin.kind == "image":
        shown = f"pictures, each for {plugin.frames} frame(s)"
    lines = [f"{plugin.identifier}: {plugin.kind} model, {shown}, {plugin.preparation.size} px"]
    for layer in plugin.layers:
        regions = [region for region, of in plugin.regions.items() if of == layer]
        lines.append(
            f"  {layer:32s} {plugin.formats.get(layer, ''):5s} {' '.join(regions)}".rstrip()
        )
    if not chosen:
        lines.append("regions are laid out by depth, a guess; choose with --regions V1 LAYER ...")
    return tuple(lines)
