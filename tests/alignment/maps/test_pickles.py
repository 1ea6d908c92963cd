"""Pickled dumps: what arrays are made of is read, all else is refused and never run."""

import io
import os
import pickle
from contextlib import suppress

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from merkwelt.alignment.maps.pickles import (
    RefusedPickle,
    guarded_loads,
    load_guarded_npy,
    load_sizes,
)
from numpy._core import multiarray


class Trap:
    """Makes a folder when unpickled."""

    def __init__(self, folder) -> None:
        self.folder = folder

    def __reduce__(self):
        return os.mkdir, (str(self.folder),)


PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=8,
)


@settings(max_examples=40, deadline=None)
@given(PLAIN, st.integers(0, 5))
def test_plain_data_comes_back(data, protocol):
    assert guarded_loads(pickle.dumps(data, protocol), "dump") == data


@pytest.mark.parametrize("protocol", range(6))
@pytest.mark.parametrize(
    "array",
    [
        np.arange(6, dtype=np.int16).reshape(2, 3),
        np.asfortranarray(np.arange(6.0).reshape(2, 3)),
        np.arange(3, dtype=">i4"),
        np.array(["ab", "c"]),
        np.array([b"ab", b"c"]),
        np.zeros((0, 2)),
        np.array(True),
        np.float32(2.5),
    ],
    ids=str,
)
def test_arrays_come_back(array, protocol):
    found = guarded_loads(pickle.dumps(array, protocol), "dump")
    np.testing.assert_array_equal(found, array)
    assert found.dtype == array.dtype


def test_nested_arrays_come_back():
    inner = np.array([1.0, 2.0])
    outer = np.empty(3, object)
    outer[:] = [inner, inner, [inner, {"a": inner}]]
    found = guarded_loads(pickle.dumps(outer), "dump")
    np.testing.assert_array_equal(found[2][1]["a"], inner)
    assert found[0] is found[1]


def _reducing(function, *arguments, state=None) -> bytes:
    class Reducing:
        def __reduce__(self):
            return (function, arguments, state) if state is not None else (function, arguments)

    return pickle.dumps(Reducing())


@pytest.mark.parametrize(
    "function", [eval, exec, print, open, getattr, __import__, type, os.system, np.fromfile]
)
def test_functions_are_refused_by_name(function):
    with pytest.raises(
        RefusedPickle, match=f"dump: refused a pickle that names .*{function.__name__}"
    ):
        guarded_loads(_reducing(function, "1"), "dump")


def test_traps_do_not_spring(tmp_path):
    sprung = tmp_path / "sprung"
    array = np.empty(2, object)
    array[:] = [1, Trap(sprung)]
    path = tmp_path / "trap.npy"
    np.save(path, array)
    with pytest.raises(RefusedPickle, match=r"mkdir.*could run code"):
        load_guarded_npy(path.read_bytes(), "trap")
    assert not sprung.exists()


@pytest.mark.parametrize(
    "data",
    [
        # A dtype of fields, whose flags could be made up so that bytes are taken for objects.
        pickle.dumps(np.zeros(2, dtype=[("a", object), ("b", "i4")])),
        pickle.dumps(np.zeros(2, dtype="M8[s]")),
        # Fewer bytes than the shape needs.
        _reducing(
            multiarray._reconstruct,
            np.ndarray,
            (0,),
            b"b",
            state=(1, (1000,), np.dtype("f8"), False, b"short"),
        ),
        # Bytes in place of objects.
        _reducing(
            multiarray._reconstruct,
            np.ndarray,
            (0,),
            b"b",
            state=(1, (1,), np.dtype(object), False, b"01234567"),
        ),
        _reducing(multiarray.scalar, np.dtype(object), b"01234567"),
        pickle.dumps(np.ndarray),
        pickle.dumps([np.dtype("f8")]),
    ],
    ids=["fields", "dates", "too short", "bytes as objects", "scalar", "type", "dtype"],
)
def test_made_up_arrays_are_refused(data):
    with pytest.raises(ValueError, match="dump"):
        guarded_loads(data, "dump")


def test_flags_of_a_dtype_are_never_taken_from_a_pickle():
    """A float's dtype that says it holds objects would make NumPy free random memory."""
    dtype = np.dtype("<f8")
    data = pickle.dumps(np.arange(3.0), 2)
    assert data.count(b"K\x00tq") == 1, "the pickle ends dtype's state with its flags, 0"
    changed = data.replace(b"K\x00tq", b"K\x3ftq")
    found = guarded_loads(changed, "dump")
    assert found.dtype == dtype
    assert not found.dtype.hasobject


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=60))
def test_any_bytes_give_data_or_one_clear_error(data):
    with suppress(ValueError):
        guarded_loads(data, "dump")


def test_cut_pickles_are_errors():
    whole = pickle.dumps(np.arange(10))
    for length in range(len(whole)):
        with pytest.raises(ValueError, match="dump"):
            guarded_loads(whole[:length], "dump")


def test_plain_and_damaged_npy():
    file = io.BytesIO()
    np.save(file, np.arange(4))
    np.testing.assert_array_equal(load_guarded_npy(file.getvalue(), "some"), np.arange(4))
    for content in (b"", b"no array", file.getvalue()[:50]):
        with pytest.raises(ValueError, match=r"\.npy array in some"):
            load_guarded_npy(content, "some")


def test_sizes_of_images(tmp_path):
    path = tmp_path / "sizes.npy"
    np.save(path, np.array({"a/b.png": (640, 480), "c.png": np.array([3, 4])}), allow_pickle=True)
    assert load_sizes(path) == {"a/b.png": (640, 480), "c.png": (3, 4)}
    np.save(path, np.arange(3))
    with pytest.raises(ValueError, match="expected a dictionary of image path"):
        load_sizes(path)
    np.save(path, np.array({"a": "wide"}), allow_pickle=True)
    with pytest.raises(ValueError, match=r"width and height in .*a, got 'wide'"):
        load_sizes(path)
