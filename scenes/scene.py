"""A scene: a card and the radiance field that it describes, and the folder they live in."""

import json
import shutil
import uuid
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Self

import numpy as np
import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save

from .analytic import AnalyticField
from .bricks import Bricks
from .bricks.file import FAST_FILE, pack_bricks, read_bricks
from .card import SceneCard
from .field import Field
from .fingerprint import field_fingerprint
from .nerfacto import NerfactoConfig, NerfactoField
from .table_storage import pack_tables, unpack_tables
from .tcnn.nerfacto import TcnnNerfactoConfig, TcnnNerfactoField
from .vanilla.field import VanillaConfig, VanillaField

CARD_FILE = "scene.json"
FIELD_FILE = "field.safetensors"
PREVIEW_FILE = "preview.png"
DENSITY_CHUNK = 1 << 17


@dataclass(frozen=True)
class Scene:
    """What is looked at."""

    card: SceneCard
    field: Field
    folder: Path | None = None
    """Where it was loaded from."""

    @classmethod
    def load(cls, name_or_path: str | Path, *, library: Path | None = None) -> Self:
        """Return a scene by its name in the library (or a bundled one), or from a folder.

        Raises:
            FileNotFoundError: there is no such scene; lists the ones there are.
            ValueError: the folder is damaged; says which file and how.
        """
        from .library import SceneLibrary

        folder = SceneLibrary(library).find(name_or_path)
        card = SceneCard.read(folder / CARD_FILE)
        return cls(card, _read_field(card, folder / FIELD_FILE), folder)

    @cached_property
    def world_from_field(self) -> np.ndarray:
        """Similarity ``[4, 4]`` from field to world coordinates, float64."""
        return np.asarray(self.card.world_from_field, dtype=np.float64)

    @torch.no_grad()
    def density(self, points_world: np.ndarray) -> np.ndarray:
        """Return densities ``[n]`` per world unit of length at world points ``[n, 3]``."""
        field_from_world = np.linalg.inv(self.world_from_field)
        points = np.asarray(points_world) @ field_from_world[:3, :3].T + field_from_world[:3, 3]
        positions = torch.from_numpy(points.astype(np.float32))
        parts = [self.field.density(part) for part in positions.split(DENSITY_CHUNK)]
        density = torch.cat(parts) if parts else torch.zeros(0)
        return density.numpy() / self.card.world_units_per_field_unit

    @cached_property
    def bricks(self) -> Bricks:
        """The scene's render-ready form.

        Raises:
            FileNotFoundError: it was not made yet; says how to.
            ValueError: it is damaged, or was made from another field than the scene's.
        """
        path = None if self.folder is None else self.folder / FAST_FILE
        if path is None or not path.is_file():
            raise FileNotFoundError(
                f"scene {self.card.name!r} has no fast form yet; make it with `merkwelt scene "
                f"optimise {self.card.name}`, or render exactly"
            )
        bricks = read_bricks(path)
        if bricks.field_sha256 != field_fingerprint(self.field):
            raise ValueError(
                f"{path} was made from another field than the scene's; make it again with "
                f"`merkwelt scene optimise {self.card.name} --again`"
            )
        return bricks

    @property
    def has_bricks(self) -> bool:
        """Whether there is a render-ready form."""
        return "bricks" in self.__dict__ or (
            self.folder is not None and (self.folder / FAST_FILE).is_file()
        )

    def with_bricks(self, bricks: Bricks) -> Self:
        """Return the same scene with another render-ready form, in memory."""
        scene = type(self)(self.card, self.field, self.folder)
        scene.__dict__["bricks"] = bricks
        return scene

    def content_hash(self, *, fast: bool = False) -> str:
        """Return a hash of all that decides what a rendering of this scene looks like.

        With ``fast``, of a rendering of its render-ready form.
        """
        from .fingerprint import fast_fingerprint, scene_fingerprint

        return fast_fingerprint(self) if fast else scene_fingerprint(self)


def save_scene(
    scene: Scene, folder: Path, *, replace: bool = False, preview_png: bytes | None = None
) -> Scene:
    """Write a scene to a folder, whole or not at all, and return it as loaded from there.

    Hash tables are stored as the card's ``table_storage`` says, everything else in full.
    Without ``preview_png`` the preview of the scene's own folder is kept.

    Raises:
        FileExistsError: the folder exists and ``replace`` was not given, or holds something else.
    """
    if folder.exists() and not replace:
        raise FileExistsError(f"{folder} exists; choose another name or ask to replace it")
    if folder.exists() and not (folder / CARD_FILE).is_file():
        raise FileExistsError(f"{folder} exists and holds no scene; it is left alone")
    folder.parent.mkdir(parents=True, exist_ok=True)
    partial = folder.parent / f".{folder.name}.{uuid.uuid4().hex[:8]}"
    try:
        partial.mkdir()
        (partial / FIELD_FILE).write_bytes(save(_stored(scene)))  # save_file makes it private.
        (partial / CARD_FILE).write_text(scene.card.to_json())
        _write_preview(scene, partial, preview_png)
        _write_bricks(scene, partial)
        if folder.exists():
            shutil.rmtree(folder)
        partial.rename(folder)
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    return Scene.load(folder)


def keep_bricks(scene: Scene, bricks: Bricks, card: SceneCard, folder: Path) -> Scene:
    """Put a render-ready form, and the card that tells its quality, into a scene's folder.

    A folder that is not the scene's own gets a copy of the scene first, and must not exist.
    Nothing else in the folder is touched; each file is replaced whole.
    """
    if scene.folder is None:
        raise ValueError(f"scene {scene.card.name!r} has no folder to keep its fast form in")
    if folder.resolve() != scene.folder.resolve():
        save_scene(Scene(scene.card, scene.field, scene.folder), folder)
    for name, data in ((FAST_FILE, pack_bricks(bricks)), (CARD_FILE, card.to_json().encode())):
        partial = folder / f".{name}.{uuid.uuid4().hex[:8]}"
        try:
            partial.write_bytes(data)
            partial.replace(folder / name)
        finally:
            partial.unlink(missing_ok=True)
    return Scene.load(folder)


def _stored(scene: Scene) -> dict[str, torch.Tensor]:
    field = scene.field
    levels: dict[str, int] = {}
    if isinstance(field, NerfactoField | TcnnNerfactoField):
        levels = field.table_levels()
    packed = pack_tables(field.tensors(), scene.card.table_storage, levels)
    # A file has no shared memory, which two names of one network's weights may have.
    return {name: value.clone() for name, value in packed.items()}


def _write_preview(scene: Scene, target: Path, png: bytes | None) -> None:
    if png is not None:
        (target / PREVIEW_FILE).write_bytes(png)
    elif scene.folder is not None and (scene.folder / PREVIEW_FILE).is_file():
        shutil.copy2(scene.folder / PREVIEW_FILE, target / PREVIEW_FILE)


def _write_bricks(scene: Scene, target: Path) -> None:
    """Write the render-ready form, if there is one of this very field."""
    stored = None if scene.folder is None else scene.folder / FAST_FILE
    if "bricks" in scene.__dict__:
        bricks = scene.bricks
    elif stored is not None and stored.is_file():
        bricks = read_bricks(stored)
    else:
        return
    if bricks.field_sha256 == field_fingerprint(scene.field):
        (target / FAST_FILE).write_bytes(pack_bricks(bricks))


def _read_field(card: SceneCard, path: Path) -> Field:
    if not path.is_file():
        raise ValueError(f"scene {card.name!r} is damaged: {path} is missing")
    try:
        tensors = unpack_tables(load_file(path))
    except SafetensorError as error:
        raise ValueError(f"scene {card.name!r} is damaged: {path}: {error}") from error
    if card.field_kind == "nerfacto":
        return NerfactoField(NerfactoConfig.from_dict(card.field_config), tensors)
    if card.field_kind == "nerfacto-tcnn":
        return TcnnNerfactoField(TcnnNerfactoConfig.from_dict(card.field_config), tensors)
    if card.field_kind == "vanilla":
        return VanillaField(VanillaConfig.from_dict(card.field_config), tensors)
    if card.field_kind == "analytic":
        return AnalyticField.from_tensors(tensors)
    if card.field_kind == "gaussians":
        from .splats.field import GaussianConfig, GaussianField

        return GaussianField.from_tensors(GaussianConfig.from_dict(card.field_config), tensors)
    raise ValueError(
        f"scene {card.name!r}: expected field kind 'nerfacto', 'nerfacto-tcnn', 'vanilla', "
        f"'gaussians' or 'analytic', found {json.dumps(card.field_kind)}; update merkwelt"
    )
