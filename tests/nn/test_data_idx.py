"""MNIST from the user's own files: read exactly, or refused by the name of the file."""

import gzip
import struct
from collections import Counter

import pytest

from nn import data

PIXELS = bytes([0, 255, 51, 102, 1, 254]) + bytes(range(6))  # two images of 2 x 3
IMAGES = struct.pack(">IIII", 2051, 2, 2, 3) + PIXELS
LABELS = struct.pack(">II", 2049, 2) + bytes([7, 0])


def folder_of(path, *, images=IMAGES, labels=LABELS, part="train", ending="", dot="-"):
    """Write the two files of a part, or one of them."""
    for holds, dimensions, content in (("images", 3, images), ("labels", 1, labels)):
        if content is not None:
            (path / f"{part}-{holds}{dot}idx{dimensions}-ubyte{ending}").write_bytes(content)
    return path


WANTED = (
    [[0.0, 1.0, 0.2, 0.4, 1 / 255, 254 / 255], [0.0, 1 / 255, 2 / 255, 3 / 255, 4 / 255, 5 / 255]],
    [7, 0],
)


@pytest.mark.parametrize("dot", ["-", "."])
@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize(("split", "part"), [("train", "train"), ("test", "t10k")])
def test_pixels_are_scaled_to_0_1_and_labels_are_whole_numbers(tmp_path, split, part, packed, dot):
    pack = gzip.compress if packed else bytes
    ending = ".gz" if packed else ""
    folder_of(tmp_path, images=pack(IMAGES), labels=pack(LABELS), part=part, ending=ending, dot=dot)
    found = data.mnist(tmp_path, split)
    assert found == WANTED
    assert data.mnist(str(tmp_path), split=split) == WANTED
    assert {type(label) for label in found.targets} == {int}
    assert data.dataset(*found) == WANTED


def test_what_is_packed_is_told_by_its_content(tmp_path):
    folder_of(tmp_path, images=gzip.compress(IMAGES))
    assert data.mnist(tmp_path) == WANTED


def test_equal_pixels_are_one_float_so_that_a_pixel_takes_8_bytes(tmp_path):
    count = 50
    images = struct.pack(">IIII", 2051, count, 28, 28) + bytes(range(256)) * 153 + bytes(32)
    labels = struct.pack(">II", 2049, count) + bytes(i % 10 for i in range(count))
    inputs, targets = data.mnist(folder_of(tmp_path, images=images, labels=labels))
    assert {len(image) for image in inputs} == {784}
    assert Counter(targets) == dict.fromkeys(range(10), 5)
    assert len({id(pixel) for image in inputs for pixel in image}) == 256


def changed(content, position, value):
    return content[:position] + bytes([value]) + content[position + 1 :]


BROKEN = {
    "images cut short": (
        {"images": IMAGES[:-1]},
        "{images} is cut short: expected 28 bytes by its header (2 x 2 x 3), got 27",
    ),
    "images too long": (
        {"images": IMAGES + b"\0\0"},
        "{images} has bytes after its end: expected 28 bytes by its header (2 x 2 x 3), got 30",
    ),
    "labels cut short": (
        {"labels": LABELS[:-1]},
        "{labels} is cut short: expected 10 bytes by its header (2), got 9",
    ),
    "half a header": (
        {"images": IMAGES[:10]},
        "{images} is cut short: expected a header of 16 bytes, got 10",
    ),
    "empty file": (
        {"labels": b""},
        "{labels} is cut short: expected a header of 8 bytes, got 0",
    ),
    "files swapped": (
        {"images": LABELS, "labels": LABELS},
        "{images} expected to be an IDX file of images that starts with the number 2051, got 2049"
        " (a file of labels)",
    ),
    "a web page": (
        {"labels": b"<!DOCTYPE html>"},
        "{labels} expected to be an IDX file of labels that starts with the number 2049, got"
        " 1008813135",
    ),
    "other counts": (
        {"labels": struct.pack(">II", 2049, 3) + bytes(3)},
        "mnist expected one label per image, got 2 images in {images} and 3 labels in {labels}",
    ),
    "no images": (
        {"images": struct.pack(">IIII", 2051, 0, 2, 3)},
        "{images} expected at least one of its images, got sizes (0, 2, 3)",
    ),
    "sizes that no file has": (
        {"images": struct.pack(">IIII", 2051, *[2**32 - 1] * 3) + bytes(9)},
        "{images} is cut short: expected 79228162458924105385300197391 bytes by its header"
        " (4294967295 x 4294967295 x 4294967295), got 25",
    ),
    "a label of 10": (
        {"labels": changed(LABELS, 9, 10)},
        "{labels} expected labels from 0 to 9, got 10 at position 1",
    ),
}


@pytest.mark.parametrize("name", BROKEN)
def test_broken_files_are_refused(tmp_path, name):
    contents, message = BROKEN[name]
    folder_of(tmp_path, **contents)
    with pytest.raises(ValueError) as refusal:
        data.mnist(tmp_path)
    assert str(refusal.value) == message.format(
        images=tmp_path / "train-images-idx3-ubyte", labels=tmp_path / "train-labels-idx1-ubyte"
    )


PACKED = gzip.compress(IMAGES, mtime=0)


@pytest.mark.parametrize(
    "broken",
    [
        PACKED[:-9],
        PACKED[:12],
        changed(PACKED, 14, 0xFF),
        changed(PACKED, -8 % len(PACKED), 0),
        PACKED + b"more",
    ],
    ids=["cut short", "no more than a header", "a wrong block", "a wrong checksum", "more"],
)
def test_broken_compression_is_refused(tmp_path, broken):
    folder_of(tmp_path, images=broken, ending=".gz")
    with pytest.raises(ValueError) as refusal:
        data.mnist(tmp_path)
    path = tmp_path / "train-images-idx3-ubyte.gz"
    assert str(refusal.value).startswith(f"{path} expected a whole gzip file, which it is not: ")


@pytest.mark.parametrize("missing", ["images", "labels"])
def test_a_missing_file_is_named(tmp_path, missing):
    folder_of(tmp_path, **{missing: None})
    with pytest.raises(FileNotFoundError) as refusal:
        data.mnist(tmp_path)
    name = f"train-{missing}-idx{3 if missing == 'images' else 1}-ubyte"
    assert str(refusal.value) == (
        f"mnist expected the file {name} or {name}.gz in {str(tmp_path)!r}, which has neither"
    )


def test_a_missing_folder_and_another_split_are_refused(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"mnist expected a folder, got .*nowhere"):
        data.mnist(tmp_path / "nowhere")
    with pytest.raises(ValueError) as refusal:
        data.mnist(folder_of(tmp_path), "validation")
    assert str(refusal.value) == 'mnist expected split "train" or "test", got \'validation\''
