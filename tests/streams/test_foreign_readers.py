"""What others make of the shards: webdataset opens them, plain PyAV and imageio show the clips."""

import io

import numpy as np
import pytest
from fake_clips import FakeClips, fake_plan
from merkwelt.streams import ClipDataset
from merkwelt.streams.engine import run_plan

# swscale rounds where it converts. Measured: 1 level at most on noise; one more to spare.
WORST_COLOUR = {"lossless": 0, "compact": 2}


@pytest.mark.filterwarnings("ignore::ResourceWarning")  # webdataset leaves files open.
@pytest.mark.parametrize("profile", ["lossless", "compact"])
def test_webdataset_and_plain_decoders_show_the_same_clips(tmp_path, profile):
    webdataset = pytest.importorskip("webdataset")
    import av
    import imageio.v3 as iio

    run_plan(fake_plan(2, shard_clips=1, profile=profile), FakeClips(), tmp_path)
    clips = ClipDataset(tmp_path, streams=("video",))
    urls = sorted(str(path) for path in (tmp_path / "shards").glob("*.tar"))
    seen = 0
    for sample in webdataset.WebDataset(urls, shardshuffle=False):
        expected = clips.sample(int(sample["__key__"])).video.numpy().astype(int)
        for eye, name in enumerate(("left.mkv", "right.mkv")):
            ours = expected[eye].transpose(0, 2, 3, 1)
            with av.open(io.BytesIO(sample[name])) as container:
                frames = [f.to_ndarray(format="rgb24") for f in container.decode(video=0)]
            assert np.abs(np.stack(frames) - ours).max() <= WORST_COLOUR[profile]
            shown = iio.imread(sample[name], plugin="pyav", extension=".mkv")
            assert np.abs(shown - ours).max() <= WORST_COLOUR[profile]
        seen += 1
    assert seen == 2
