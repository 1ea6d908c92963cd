"""Words that say a configuration again: reading them gives it back."""

from dataclasses import dataclass, replace

import pytest
import tyro
from merkwelt.render.render_clip import ClipSettings
from merkwelt.streams import ClipCut
from merkwelt.streams.live import LiveOptions

from merkwelt.option_words import option_words
from merkwelt.stream_request import StreamRequest

USUAL = StreamRequest()
CLIPS = ClipSettings(depth=False)


@dataclass(frozen=True)
class _Read:
    stream: StreamRequest = USUAL
    cut: ClipCut = ClipCut()


@pytest.mark.parametrize(
    "stream",
    [
        USUAL,
        StreamRequest(observer="toddler", seed=3, weights=(2.0, 1.0)),
        StreamRequest(settings=replace(CLIPS, frames=6, size=32, stereo=False)),
        StreamRequest(settings=replace(CLIPS, optics=replace(CLIPS.optics, shutter=0.5))),
        StreamRequest(live=LiveOptions(reuse=8, window=16, render_threads=1)),
    ],
)
@pytest.mark.parametrize("cut", [ClipCut(), ClipCut(frames=8, layout="side_by_side", only=("a*",))])
def test_reading_the_words_gives_the_configuration_back(stream, cut):
    words = [*option_words(stream, USUAL, "stream."), *option_words(cut, ClipCut(), "cut.")]
    assert tyro.cli(_Read, args=words) == _Read(stream, cut)


def test_what_is_usual_needs_no_words():
    assert option_words(USUAL, StreamRequest()) == []
