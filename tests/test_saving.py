"""Files that are written whole or not at all."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from autograd_lite import saving
from autograd_lite.saving import extension_of, write_whole


def test_text_is_written_as_utf_8(tmp_path):
    write_whole(tmp_path / "f.svg", "∂\n")
    assert (tmp_path / "f.svg").read_bytes() == b"\xe2\x88\x82\n"
    assert os.listdir(tmp_path) == ["f.svg"]


def test_a_file_that_was_there_is_replaced_and_keeps_its_permissions(tmp_path):
    path = tmp_path / "f.svg"
    path.write_text("old")
    path.chmod(0o640)
    before = path.stat().st_mode
    write_whole(str(path), b"new")
    assert (path.read_text(), path.stat().st_mode) == ("new", before)


@pytest.mark.skipif(os.name != "posix", reason="links need rights elsewhere")
def test_what_a_link_points_to_is_replaced_not_the_link(tmp_path):
    (tmp_path / "link.svg").symlink_to(tmp_path / "f.svg")
    write_whole(tmp_path / "link.svg", "x")
    assert (tmp_path / "link.svg").is_symlink()
    assert (tmp_path / "f.svg").read_text() == "x"


def test_a_failure_leaves_the_old_file_and_nothing_else(tmp_path, monkeypatch):
    path = tmp_path / "f.svg"
    path.write_text("old")

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(saving.os, "replace", full)
    with pytest.raises(OSError, match=r"No space left on device: '.*f\.svg'$"):
        write_whole(path, "new")
    assert (path.read_text(), os.listdir(tmp_path)) == ("old", ["f.svg"])


@pytest.mark.parametrize("path", ["missing/f.svg", "."])
def test_an_unwritable_path_is_named_as_it_was_given(tmp_path, monkeypatch, path):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(OSError) as caught:
        write_whole(path, "x")
    assert caught.value.filename == path
    assert os.listdir(tmp_path) == []


@pytest.mark.skipif(not os.path.exists("/dev/null"), reason="there is no such device here")
def test_a_device_is_written_to_and_stays_a_device():
    write_whole("/dev/null", "x")
    assert not Path("/dev/null").is_file()


def test_extensions_are_told_apart_without_case():
    assert extension_of(Path("f.SVG"), [".svg"]) == ".svg"


@pytest.mark.parametrize(
    ("path", "error", "message"),
    [
        ("f.doc", ValueError, r"'f.doc' has the extension '.doc', expected .svg, .png or .html"),
        ("folder.svg/f", ValueError, "'folder.svg/f' has no extension, expected .svg, .png or"),
        (3, TypeError, "expected a path to save to, got int: 3"),
    ],
)
def test_what_is_no_path_with_a_known_extension_is_refused(path, error, message):
    with pytest.raises(error, match=message):
        extension_of(path, [".svg", ".png", ".html"])
