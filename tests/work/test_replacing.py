"""What is written anew takes the place of what was there only once it is whole."""

from pathlib import Path

import pytest

from workbench.work.files import new_folder, replacing


def write(folder: Path, text: str) -> None:
    with new_folder(folder) as beside:
        (beside / "file").write_text(text)


def test_the_new_takes_the_place_of_the_old_and_nothing_is_left_over(tmp_path: Path) -> None:
    out = tmp_path / "model"
    for text in ("old", "new"):
        with replacing(out):
            write(out, text)
    assert (out / "file").read_text() == "new" and list(tmp_path.iterdir()) == [out]


def test_where_writing_fails_the_old_is_there_again(tmp_path: Path) -> None:
    out = tmp_path / "model.gguf"
    out.write_text("old")
    with pytest.raises(KeyboardInterrupt), replacing(out):
        out.write_text("half")
        raise KeyboardInterrupt
    assert out.read_text() == "old" and list(tmp_path.iterdir()) == [out]


def test_what_a_killed_process_set_aside_comes_back(tmp_path: Path) -> None:
    out = tmp_path / "model"
    work = replacing(out)
    write(out, "old")
    work.__enter__()
    assert not out.exists()
    with pytest.raises(ValueError, match="again"), replacing(out):  # another process, later
        raise ValueError("again")
    assert (out / "file").read_text() == "old" and list(tmp_path.iterdir()) == [out]
    again = replacing(out)
    again.__enter__()
    write(out, "newer")  # since then; what was set aside is out of date
    with replacing(out):
        write(out, "newest")
    assert (out / "file").read_text() == "newest" and list(tmp_path.iterdir()) == [out]
