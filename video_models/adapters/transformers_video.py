"""VideoMAE and V-JEPA 2 of ``transformers`` as encoders (extra ``hf``)."""

# transformers is an optional extra, absent where types are checked.
# pyright: reportMissingImports=false

import contextlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from jaxtyping import Float
from torch import Tensor, nn

from ..clip_checks import check_clips_for, check_eyes, check_positive
from ..encoder import Features
from ..transformer.attention import AttentionKind
from ..transformer.blocks import shown_blocks
from .import_torchvision import torchvision_video_models
from .late_fusion import channel_values, features_of, fitted, normalised
from .torchvision_trunks import IMAGENET


@dataclass(frozen=True, kw_only=True)
class TransformersVideoConfig:
    """Which network, and its weights or, without any, its shape."""

    network: Literal["videomae", "vjepa2"] = "videomae"
    """VideoMAE (Tong et al. 2022) or the encoder of V-JEPA 2 (Assran et al. 2025)."""
    eyes: int = 2
    """1 or 2. Two eyes pass the network one by one; their maps become sum and difference."""
    image_channels: int = 3
    """These networks take 3."""
    weights: str | None = None
    """A local folder with ``config.json`` and ``model.safetensors``, whose shape is used; None
    draws random weights of the shape below. Nothing is downloaded."""
    image_size_px: int = 64
    """Height and width of frames, without weights."""
    frames: int = 16
    """Frames of a clip, without weights. V-JEPA 2 takes any number of them."""
    patch_px: int = 16
    tubelet_frames: int = 2
    width: int = 96
    depth: int = 4
    heads: int = 4
    mlp_ratio: int = 4
    attention: AttentionKind = "math"
    """``math`` lets gradients of gradients work; ``fused`` takes less memory."""
    resize: bool = True
    """Resize square frames of another size; if not, refuse them."""

    def __post_init__(self) -> None:
        """Refuse shapes that cannot be built."""
        check_eyes(self.eyes, "siamese")
        if self.network not in ("videomae", "vjepa2"):
            raise ValueError(f"expected network videomae or vjepa2, got {self.network!r}")
        if self.attention not in ("math", "fused"):
            raise ValueError(f"expected attention 'math' or 'fused', got {self.attention!r}")
        if self.image_channels != 3:
            raise ValueError(f"expected image_channels 3, got {self.image_channels}")
        check_positive(
            patch_px=self.patch_px,
            tubelet_frames=self.tubelet_frames,
            width=self.width,
            depth=self.depth,
            heads=self.heads,
            mlp_ratio=self.mlp_ratio,
        )
        whole = self.image_size_px % self.patch_px, self.frames % self.tubelet_frames
        if any(whole) or min(self.image_size_px, self.frames) < 1 or self.width % self.heads:
            raise ValueError(
                "expected patches that divide the image size, tubelets that divide the frames and "
                f"heads that divide the width, got {self}"
            )


class TransformersVideo(nn.Module):
    """Encoder around VideoMAE or V-JEPA 2; its features depend on later frames."""

    causal = False

    def __init__(self, config: TransformersVideoConfig) -> None:
        """Build the network, with random weights from torch's current random state or a folder's.

        Raises:
            ImportError: transformers is not installed; names the extra.
            FileNotFoundError, ValueError: no such folder, or one with another network.
        """
        super().__init__()
        self.config = config
        self.eyes = config.eyes
        self.net = _network(config)
        shape = self.net.config
        masked = config.network == "videomae"
        self.image_size_px = int(shape.image_size if masked else shape.crop_size)
        self.patch_px = int(shape.patch_size)
        self.frames_per_step = int(shape.tubelet_size)
        self.fixed_frames = int(shape.num_frames) if masked else None
        self.least_frames = self.fixed_frames or self.frames_per_step
        self.shown = shown_blocks(int(shape.num_hidden_layers))
        mean, std = IMAGENET
        self.mean: Tensor
        self.std: Tensor
        self.register_buffer("mean", channel_values("mean", mean, 3), persistent=False)
        self.register_buffer("std", channel_values("std", std, 3), persistent=False)

    def forward(self, clips: Float[Tensor, "batch eye time channel height width"]) -> Features:
        """Return the maps ``embedding`` and up to four ``blockN``, and the last one's spatial mean.

        The last map has passed the network's final norm, if it has one.

        Args:
            clips: values in [0, 1].
        """
        network = self.config.network
        check_clips_for(self.config, clips, frames_per_step=self.frames_per_step)
        if self.fixed_frames not in (None, clips.shape[2]):
            raise ValueError(
                f"expected clips of {self.fixed_frames} frames, for which this {network} has "
                f"positions, got {clips.shape[2]}"
            )
        clips = fitted(clips, self.image_size_px, resize=self.config.resize, network=network)
        videos = normalised(clips, self.mean, self.std).transpose(1, 2)
        options = {"skip_predictor": True} if network == "vjepa2" else {}
        seen = self.net(videos, output_hidden_states=True, **options)
        hidden = list(seen.hidden_states)
        hidden[-1] = seen.last_hidden_state
        shown = {"embedding": hidden[0], **{f"block{i}": hidden[i] for i in self.shown}}
        side = self.image_size_px // self.patch_px
        maps = {
            name: each.transpose(1, 2).unflatten(2, (-1, side, side))
            for name, each in shown.items()
        }
        return features_of(maps, eyes=self.eyes, frames=clips.shape[2], network=network)


def _network(config: TransformersVideoConfig) -> Any:  # noqa: ANN401 - a class of the extra
    """Return the network without its predictor."""
    # transformers imports torchvision where it is installed, which needs help beside a CPU torch.
    with contextlib.suppress(ImportError):
        torchvision_video_models()
    try:
        import transformers
        from transformers import VideoMAEModel, VJEPA2Model
    except ImportError as error:
        raise ImportError(
            f"this encoder needs transformers 4.53 or newer ({error}); install the extra "
            "'merkwelt[hf]'"
        ) from error
    model = VideoMAEModel if config.network == "videomae" else VJEPA2Model
    attention = "eager" if config.attention == "math" else "sdpa"
    if config.weights is None:
        net = model._from_config(_shape(transformers, config), attn_implementation=attention)
    else:
        net = _from_folder(model, Path(config.weights), config.network, attention)
    if config.network == "vjepa2":
        net.predictor = nn.Identity()
    return net


def _shape(transformers: Any, config: TransformersVideoConfig) -> Any:  # noqa: ANN401
    """Return the configuration, as transformers has it, of a network with random weights."""
    common = {
        "patch_size": config.patch_px,
        "tubelet_size": config.tubelet_frames,
        "hidden_size": config.width,
        "num_hidden_layers": config.depth,
        "num_attention_heads": config.heads,
    }
    if config.network == "videomae":
        return transformers.VideoMAEConfig(
            image_size=config.image_size_px,
            num_frames=config.frames,
            intermediate_size=config.width * config.mlp_ratio,
            use_mean_pooling=False,
            **common,
        )
    return transformers.VJEPA2Config(
        crop_size=config.image_size_px,
        frames_per_clip=config.frames,
        mlp_ratio=config.mlp_ratio,
        pred_num_hidden_layers=1,
        **common,
    )


def _from_folder(model: Any, folder: Path, network: str, attention: str) -> Any:  # noqa: ANN401
    """Return a network with the weights of a folder; only safetensors are read, no code is run."""
    if not (folder / "config.json").is_file():
        raise FileNotFoundError(
            f"expected a folder with config.json and model.safetensors at {folder}, found none; "
            "nothing is downloaded, fetch it yourself or use weights=None for random weights"
        )
    from transformers.utils import logging

    said = json.loads((folder / "config.json").read_text()).get("model_type")
    if said != network:
        raise ValueError(f"expected the weights of {network} in {folder}, got those of {said!r}")
    # What is missing is said below; what is over, such as a decoder, is no news.
    said_before = logging.get_verbosity()
    logging.set_verbosity_error()
    try:
        net, report = model.from_pretrained(
            folder,
            local_files_only=True,
            use_safetensors=True,
            trust_remote_code=False,
            attn_implementation=attention,
            output_loading_info=True,
        )
    except OSError as error:
        raise FileNotFoundError(f"expected model.safetensors in {folder}: {error}") from error
    finally:
        logging.set_verbosity(said_before)
    # The predictor of V-JEPA 2 is not used.
    missing = sorted(name for name in report["missing_keys"] if not name.startswith("predictor."))
    if missing:
        raise ValueError(
            f"expected all weights of {network} in {folder}, got none for {', '.join(missing[:5])}"
        )
    return net
