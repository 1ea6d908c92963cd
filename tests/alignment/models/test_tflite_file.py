import struct

import numpy as np
import pytest
import torch
from merkwelt.alignment.models.flatbuffer import DamagedFile, root_table
from merkwelt.alignment.models.tflite_file import QuantizedTensor, read_tflite
from merkwelt.alignment.models.tflite_model import tflite_model

SMALLEST = "mobilenet_v1_0.25_128_quant.tflite"
FILES = (SMALLEST, "tf2_mobilenet_v2_1.0_224_ptq.tflite")


@pytest.fixture
def smallest(shared_data):
    return shared_data / "models_tflite" / SMALLEST


def _by_hand() -> bytes:
    """A root table with field 0 = int32 7, field 1 missing, field 2 = [3, 1, 4] as int32."""
    vtable = struct.pack("<HHHHH", 10, 12, 4, 0, 8) + b"\0\0"
    table = struct.pack("<iiI", 12, 7, 4)
    return struct.pack("<I4s", 20, b"TEST") + vtable + table + struct.pack("<Iiii", 3, 3, 1, 4)


def test_a_flatbuffer_written_by_hand_is_read():
    root = root_table(_by_hand(), b"TEST")
    assert root.number(0, "i") == 7
    assert root.number(1, "i", default=5) == 5
    assert root.number(9, "i", default=6) == 6
    assert root.array(2, "i4").tolist() == [3, 1, 4]
    assert root.array(1, "i4").tolist() == []
    assert root.table(1) is None


def test_offsets_that_lead_out_of_the_file_are_refused():
    whole = _by_hand()
    with pytest.raises(DamagedFile, match="expected the letters TFL3"):
        root_table(whole, b"TFL3")
    with pytest.raises(DamagedFile, match="a list of 3 items"):
        root_table(whole[:-1], b"TEST").array(2, "i4")
    far = struct.pack("<I", 10**9) + whole[4:]
    with pytest.raises(DamagedFile, match="leads to byte"):
        root_table(far, b"TEST").number(0, "i")


@pytest.mark.parametrize("name", FILES)
def test_all_tensors_and_options_are_those_that_the_package_tflite_reads(shared_data, name):
    tflite = pytest.importorskip("tflite", reason="the package tflite, an oracle, is not here")
    path = shared_data / "models_tflite" / name
    ours = read_tflite(path)
    graph = tflite.Model.GetRootAsModel(path.read_bytes(), 0).Subgraphs(0)
    assert len(ours.tensors) == graph.TensorsLength()
    assert len(ours.operations) == graph.OperatorsLength()
    for i, tensor in enumerate(ours.tensors):
        theirs = graph.Tensors(i)
        assert tensor.name == theirs.Name().decode()
        assert list(tensor.shape) == np.asarray(theirs.ShapeAsNumpy()).tolist()
        scales = theirs.Quantization().ScaleAsNumpy() if theirs.Quantization() else 0
        np.testing.assert_array_equal(
            tensor.scale, np.atleast_1d(scales) if tensor.scale.size else []
        )
    for i, operation in enumerate(ours.operations):
        theirs = graph.Operators(i)
        assert list(operation.inputs) == theirs.InputsAsNumpy().tolist()
        kinds = {
            "CONV_2D": tflite.Conv2DOptions,
            "DEPTHWISE_CONV_2D": tflite.DepthwiseConv2DOptions,
        }
        if operation.name in kinds:
            options = kinds[operation.name]()
            options.Init(theirs.BuiltinOptions().Bytes, theirs.BuiltinOptions().Pos)
            assert operation.stride == (options.StrideH(), options.StrideW())
            assert operation.dilation == (options.DilationHFactor(), options.DilationWFactor())
            assert (operation.padding == "SAME") == (options.Padding() == 0)
            assert (operation.clamp == (0.0, 6.0)) == (options.FusedActivationFunction() == 3)


def test_dequantising_by_hand():
    tensor = QuantizedTensor(
        name="w",
        shape=(2, 2),
        dtype="i1",
        scale=np.array([0.5, 2.0]),
        zero_point=np.array([1, -1]),
        channel_axis=1,
        values=np.array([[3, 3], [1, -1]], np.int8),
    )
    np.testing.assert_array_equal(tensor.real(), [[1.0, 8.0], [0.0, 0.0]])


def test_a_cut_file_is_refused_wherever_it_is_cut(smallest, tmp_path):
    whole = smallest.read_bytes()
    cut = tmp_path / "cut.tflite"
    # Behind byte 503,776 comes an attached list of labels, without which the network is whole.
    for length in (0, 3, 8, 40, 1000, len(whole) // 3, len(whole) // 2, 470_000, 503_700):
        cut.write_bytes(whole[:length])
        with pytest.raises(
            ValueError, match=r"expected a whole TensorFlow Lite file, got cut\.tflite"
        ):
            read_tflite(cut)


def test_damage_is_an_error_or_changes_numbers_and_is_never_anything_else(smallest, tmp_path):
    # Weights come first; behind byte 480,884 stands the network's structure.
    whole = smallest.read_bytes()
    damaged = tmp_path / "damaged.tflite"
    refused = 0
    for seed in range(40):
        draw = np.random.default_rng(seed)
        content = bytearray(whole)
        for place in (*draw.integers(480_884, 503_776, size=3), draw.integers(0, 200)):
            content[place] ^= int(draw.integers(1, 256))
        damaged.write_bytes(content)
        try:
            model = tflite_model(damaged)
        except ValueError as error:
            assert "damaged" in str(error)  # noqa: PT017 - not every damage is one
            refused += 1
        else:
            assert model.preparation.size <= 4096
    assert refused > 10


def test_other_files_are_refused(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"expected a \.tflite file at"):
        read_tflite(tmp_path / "none.tflite")
    other = tmp_path / "other.tflite"
    torch.save({"a": torch.zeros(3)}, other)
    with pytest.raises(ValueError, match="expected the letters TFL3"):
        read_tflite(other)
