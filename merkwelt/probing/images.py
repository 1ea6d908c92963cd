"""A linear probe of image categories on a run's frozen features, with its report."""

from pathlib import Path

from ..alignment.maps.read_maps import read_maps
from ..alignment.probes.image_probe import ImageProbe, ImageProbeSettings, probe_images
from ..alignment.probes.labelled_images import LabelledImages, image_folder, images_of_maps
from ..alignment.probes.softmax import Method
from ..alignment.saliency.targets import Readout
from ..parts import Progress
from ..report import provenance_section, write_report
from ..report.blocks import Details, FigureBlock, Note
from ..report.page import Report, Section
from ..report.scores import ScoreRow, score_plot
from ..results_folder import RESULTS_FILE, free_for
from ..scored_model import scored_model
from ..training.run_folder import write_json
from .request import ProbeRequest

PROBE_FILE = "probe.safetensors"
FORMAT = "merkwelt image probe results"


def labelled_images(path: Path, split: str | None = None) -> LabelledImages:
    """Return the images of a folder by class, or of human maps.

    Raises:
        FileNotFoundError: nothing there.
        ValueError: neither, or a split of a folder.
    """
    if not path.exists():
        raise FileNotFoundError(
            f"expected a folder of images by class, or human maps, found nothing at {path}"
        )
    if path.is_dir() and any(part.is_dir() for part in path.iterdir()):
        if split is not None:
            raise ValueError(
                f"expected --split with human maps, not with a folder of images {path}"
            )
        return image_folder(path)
    return images_of_maps(read_maps(path), split)


def probe_images_of(  # noqa: PLR0913 - as the command
    run: Path,
    images: Path,
    out: Path,
    request: ProbeRequest,
    *,
    split: str | None = None,
    method: Method = "least_squares",
    progress: Progress | None = None,
) -> tuple[tuple[str, ...], Path]:
    """Train a probe of images' categories and write it with ``results.json`` and ``report.html``.

    Returns:
        Lines for a terminal, and the path of the report.

    Raises:
        FileNotFoundError: no run or no images.
        ValueError: images that cannot be probed on.
        FileExistsError: ``out`` is a file, or holds something else.
    """
    free_for(out, FORMAT)
    settings = ImageProbeSettings(
        readout=Readout(layer=request.map_name), method=method, seed=request.seed
    )
    model = scored_model(run, seed=request.seed)
    done = probe_images(model, labelled_images(images, split), settings, progress=progress)
    out.mkdir(parents=True, exist_ok=True)
    done.probe.save(out / PROBE_FILE)
    content = {"format": FORMAT, "version": 1, "run": run.name, **done.to_dict()}
    write_json(out / RESULTS_FILE, content)
    words = f"merkwelt probe {run.name} --images {images.name} --out {out.name}"
    page = Report(
        title="Categories of still images",
        subtitle=f"A linear probe on {run.name}, trained on {done.probe.trained_on}.",
        sections=(_section(done), provenance_section(commands=(words,))),
    )
    return _lines(done), write_report(page, out / "report.html")


def _section(done: ImageProbe) -> Section:
    own = done.probe.accuracy
    rows = [ScoreRow(name="linear probe", value=own.mean, low=own.low, high=own.high)]
    rows += [
        ScoreRow(name=name, value=each.mean, low=each.low, high=each.high, is_floor=True)
        for name, each in done.floors.items()
    ]
    figure = FigureBlock(
        figure=score_plot(rows, label="accuracy", chance=done.probe.chance),
        caption=f"{done.probe.readout.name.capitalize()}; {done.probe.method}. Line: the most "
        f"frequent class, {done.probe.chance:.3f}. Tested on {own.count} objects.",
        wide=True,
    )
    reasons = sorted(set(done.left_out.values()))
    notes = [Note(text=f"Not tested, {why}: {_all(done, why)}.") for why in reasons]
    facts = {"classes": ", ".join(done.probe.classes), "encoder": done.probe.encoder}
    lead = "What a linear classifier of frozen features tells of objects that it was not shown."
    details = Details(title="The probe", facts=facts)
    return Section(title="Categories", lead=lead, blocks=(figure, *notes, details))


def _all(done: ImageProbe, why: str) -> str:
    return ", ".join(name for name, reason in done.left_out.items() if reason == why)


def _lines(done: ImageProbe) -> tuple[str, ...]:
    lines = [
        f"{done.probe.encoder}: linear probe on {done.probe.trained_on}",
        f"{'accuracy on held-out objects':44s} {done.probe.accuracy}",
        *(f"    floor, {name:33s} {each}" for name, each in done.floors.items()),
        f"    floor, {'the most frequent class':33s} {done.probe.chance:.3f}",
    ]
    if done.left_out:
        lines.append(f"not tested, having one object only: {', '.join(done.left_out)}")
    return tuple(lines)
