"""MNIST from files in the IDX format that the user has; nothing is downloaded.

An IDX file is a header of big-endian numbers of 32 bits, the magic number (2051 for images, 2049
for labels) and the sizes, followed by one byte for each pixel or label.
"""

from __future__ import annotations

import math
import os
from typing import NamedTuple

from nn.data.samples import Dataset

PARTS = {"train": "train", "test": "t10k"}
"""What the names of the files of a part start with."""

CLASSES = 10


class Kind(NamedTuple):
    """A kind of IDX file.

    Attributes
    ----------
    holds : str
        What is in it, which also is part of its name.
    magic : int
        The number that it starts with; its last byte is the number of sizes that follow.
    """

    holds: str
    magic: int

    @property
    def dimensions(self) -> int:
        return self.magic & 0xFF


IMAGES = Kind("images", 2051)
LABELS = Kind("labels", 2049)


def mnist(folder: str | os.PathLike[str], split: str = "train") -> Dataset:
    """Return MNIST, or a set in its format such as Fashion-MNIST, from a folder with its files.

    The files are train-images-idx3-ubyte and train-labels-idx1-ubyte for training,
    t10k-images-idx3-ubyte and t10k-labels-idx1-ubyte for testing (also with a dot for the second
    hyphen from the end), as they are or compressed with gzip (.gz).

    The 60,000 images to train on take 2 to 4 seconds and 380 MB: 8 bytes for each pixel, since
    equal pixels are one float. Take the first N with ``inputs[:N], targets[:N]``.

    Parameters
    ----------
    folder : str or path
    split : "train" or "test"
        60,000 images in the one, 10,000 in the other part.

    Returns
    -------
    Dataset
        Images of 28 × 28 pixels, each a list of 784 numbers from 0 (background) to 1 (ink) in
        reading order, and the labels 0 to 9. Images of other sizes are taken as well.

    Raises
    ------
    FileNotFoundError
        If there is no such folder, or one of the two files is not in it.
    ValueError
        For another split; for files that are no IDX files of images or labels, are cut short or
        too long, cannot be unpacked, hold nothing, do not have one label for each image, or have
        labels beyond 9.

    References
    ----------
    Y. LeCun, C. Cortes, C. Burges, "The MNIST database of handwritten digits", 1998.

    Examples
    --------
    >>> from nn import data
    >>> train = data.mnist("folder/with/mnist")  # doctest: +SKIP
    >>> len(train.inputs), len(train.inputs[0])  # doctest: +SKIP
    (60000, 784)
    >>> data.mnist("folder/with/mnist")
    Traceback (most recent call last):
    ...
    FileNotFoundError: mnist expected a folder, got 'folder/with/mnist', which is none
    """
    if split not in PARTS:
        raise ValueError(f'mnist expected split "train" or "test", got {split!r}')
    where = os.fspath(folder)
    if not os.path.isdir(where):
        raise FileNotFoundError(f"mnist expected a folder, got {where!r}, which is none")
    image_file, label_file = (_found(where, PARTS[split], kind) for kind in (IMAGES, LABELS))
    (count,), labels = _contents(label_file, LABELS)
    for position, label in enumerate(labels):
        if label >= CLASSES:
            raise ValueError(
                f"{label_file} expected labels from 0 to {CLASSES - 1}, got {label} at position"
                f" {position}"
            )
    (images, *size), pixels = _contents(image_file, IMAGES)
    if images != count:
        raise ValueError(
            f"mnist expected one label per image, got {images} images in {image_file} and"
            f" {count} labels in {label_file}"
        )
    # 256 floats that all images share: one for each pixel would take four times the memory.
    brightness = [level / 255.0 for level in range(256)].__getitem__
    length = math.prod(size)
    inputs = [
        list(map(brightness, pixels[start : start + length]))
        for start in range(0, len(pixels), length)
    ]
    return Dataset(inputs, list(labels))


def _found(folder: str, part: str, kind: Kind) -> str:
    """Return the file of a part, compressed or not, or say which one is missing."""
    stem, ending = f"{part}-{kind.holds}", f"idx{kind.dimensions}-ubyte"
    for name in (f"{stem}-{ending}", f"{stem}.{ending}"):
        for path in (os.path.join(folder, name), os.path.join(folder, f"{name}.gz")):
            if os.path.isfile(path):
                return path
    raise FileNotFoundError(
        f"mnist expected the file {stem}-{ending} or {stem}-{ending}.gz in {folder!r}, which"
        " has neither"
    )


def _contents(path: str, kind: Kind) -> tuple[tuple[int, ...], bytes]:
    """Return the sizes and the bytes of an IDX file, or say what is wrong with it."""
    content = _unpacked(path)
    start = 4 + 4 * kind.dimensions
    header = [int.from_bytes(content[i : i + 4], "big") for i in range(0, start, 4)]
    magic, sizes = header[0], tuple(header[1:])
    if len(content) >= 4 and magic != kind.magic:
        held = {known.magic: f" (a file of {known.holds})" for known in (IMAGES, LABELS)}
        raise ValueError(
            f"{path} expected to be an IDX file of {kind.holds} that starts with the number"
            f" {kind.magic}, got {magic}{held.get(magic, '')}"
        )
    if len(content) < start:
        raise ValueError(
            f"{path} is cut short: expected a header of {start} bytes, got {len(content)}"
        )
    wanted = start + math.prod(sizes)
    if 0 in sizes:
        raise ValueError(f"{path} expected at least one of its {kind.holds}, got sizes {sizes}")
    if len(content) != wanted:
        problem = "is cut short" if len(content) < wanted else "has bytes after its end"
        raise ValueError(
            f"{path} {problem}: expected {wanted} bytes by its header"
            f" ({' x '.join(map(str, sizes))}), got {len(content)}"
        )
    return sizes, content[start:]


def _unpacked(path: str) -> bytes:
    """Return the bytes of a file, unpacked if it is compressed (whatever it is called)."""
    import gzip
    import zlib

    with open(path, "rb") as file:
        content = file.read()
    if not content.startswith(b"\x1f\x8b"):
        return content
    try:
        return gzip.decompress(content)
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise ValueError(f"{path} expected a whole gzip file, which it is not: {error}") from error
