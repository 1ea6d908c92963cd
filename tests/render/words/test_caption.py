import re
from dataclasses import replace

import numpy as np
import pytest
from merkwelt.render.key import ClipKey
from merkwelt.render.observer.presets import adult
from merkwelt.render.render_clip import ClipSettings, render_clip
from merkwelt.render.words.caption import caption_of
from merkwelt.render.words.description import Stretch, Thing
from merkwelt.render.words.nouns import Naming, article, is_one, joined, plural
from merkwelt.render.words.numerals import spoken_angle, spoken_metres, spoken_speed, times

KEY = ClipKey(dataset_seed=0, scene="room", clip=3)


def _captions(facts, count=200):
    return [caption_of(facts, np.random.default_rng(seed)) for seed in range(count)]


def _thing(name, noun, alike=1):
    return Thing(name=name, noun=noun, wnid=None, alike=alike)


def test_seeds_vary_the_words_and_not_the_facts(walk):
    captions = _captions(walk)
    assert len(set(captions)) > 60
    lengths = {spoken_metres(look.distance_m) for look in walk.looks}
    lengths |= {spoken_metres(seen.distance_m) for seen in walk.visible}
    lengths |= {spoken_metres(near.distance_m) for near in walk.place.near}
    numbers = lengths | {spoken_speed(walk.motion.speed_m_s)}
    for caption in captions:
        assert caption.startswith(("walking", "the observer walks", "the adult observer walks"))
        assert set(re.findall(r"\d[\d.]* m(?:/s)?", caption)) <= numbers
        assert "piano" in caption
        assert "sofa on the left" in caption or "sofa" not in caption.split(", ")[0]
        for wrong in ("sofa on the right", "desks on the left", "desk on the left", "turning"):
            assert wrong not in caption


def test_captions_read_well(walk):
    for caption in _captions(walk):
        assert caption == caption.strip()
        assert not re.search(r"  |,,| ,|\{|\}|None|_|\band and\b|\bthe the\b", caption)
        assert not re.search(r"\ba [aeio]|\ban [^aeiouh]", caption)
        words = re.findall(r"[a-z]+", caption)
        assert all(one != two for one, two in zip(words, words[1:], strict=False))
        for noun in ("sofa", "cup"):
            assert len(re.findall(rf"\b{noun}\b", caption)) <= 2


def test_the_same_id_has_the_same_words(room, room_navigation):
    settings = ClipSettings(frames=4, size=24)
    one, two = (
        render_clip(room, adult(), settings, KEY, navigation=room_navigation) for _ in range(2)
    )
    assert one.caption == two.caption == caption_of(one.description, KEY.generator("words"))
    captions = {
        caption_of(one.description, replace(KEY, clip=c).generator("words")) for c in range(9)
    }
    assert len(captions) > 4


def test_scenes_without_scale_or_objects_say_no_metres(statue):
    observer = replace(adult(), eyes=1)
    made = render_clip(statue, observer, ClipSettings(frames=4, size=16, stereo=False), KEY)
    for caption in _captions(made.description):
        assert not re.search(r"\d+(\.\d+)? m\b|m/s", caption)
        assert re.search(r"\bmov(ing|es)\b", caption)
        assert "looking" in caption or not made.description.looks


def test_activities_follow_one_another(walk):
    def stretch(activity, start_s, end_s):
        return Stretch(activity=activity, start_s=start_s, end_s=end_s, speed_m_s=1.0)

    falls = (stretch("walking", 0, 1), stretch("falling", 1, 1.4), stretch("down", 1.4, 2))
    facts = replace(walk, motion=replace(walk.motion, stretches=falls))
    facts = replace(facts, events=replace(walk.events, fall=True))
    for caption in _captions(facts, 30):
        assert re.search(r"then (falling|falls), then (is )?down on the floor", caption)
        assert caption.count("fall") == 1
    late = (stretch("standing", 0, 1), stretch("walking", 1, 2))
    facts = replace(walk, motion=replace(walk.motion, stretches=late))
    for caption in _captions(facts, 30):
        assert re.match(r"(standing still|.*stands still), then walk", caption)


@pytest.mark.parametrize(
    ("noun", "before", "many"),
    [
        ("armchair", "an", "armchairs"),
        ("bench", "a", "benches"),
        ("umbrella", "an", "umbrellas"),
        ("ukulele", "a", "ukuleles"),
        ("hourglass", "an", "hourglasses"),
        ("oak shelf", "an", "oak shelves"),
        ("toy", "a", "toys"),
        ("pastry", "a", "pastries"),
        ("woman", "a", "women"),
    ],
)
def test_articles_and_plurals(noun, before, many):
    assert (article(noun), plural(noun), is_one(noun)) == (before, many, True)


def test_things_that_are_alike_are_counted():
    chairs = [_thing(f"chair_{i}", "chair", 3) for i in range(3)]
    sofa, boots = _thing("sofa", "sofa"), _thing("boots", "boots", 2)
    assert Naming().listing([chairs[0], sofa, chairs[1]]) == "two chairs and the sofa"
    assert Naming().listing([*chairs, boots]) == "the three chairs and the boots"
    naming = Naming()
    assert naming.one(chairs[0]) == "a chair"
    assert naming.one(chairs[1]) == "another chair"
    assert naming.one(chairs[0]) == "that chair"
    assert not is_one("milk")
    assert not is_one("boots")
    assert is_one("glass")


def test_numbers_as_people_say_them():
    lengths = (0.0, 0.44, 1.0, 2.96, 3.2, 9.9, 10.4, 27.8)
    said = ["0.1 m", "0.4 m", "1 m", "3 m", "3 m", "10 m", "10 m", "28 m"]
    assert [spoken_metres(length) for length in lengths] == said
    assert (spoken_speed(1.04), spoken_speed(0.01)) == ("1 m/s", "0.1 m/s")
    assert (spoken_angle(-98.1), spoken_angle(21)) == ("100 degrees", "20 degrees")
    assert [times(n) for n in (1, 2, 3, 11)] == ["once", "twice", "three times", "11 times"]
    assert joined(["a", "b", "c"]) == "a, b and c"
