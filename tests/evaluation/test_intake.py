"""An organizer's files become a report and pairs; no file is trusted by its name."""

import json
import zipfile
from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image

from evaluation.errors import InvalidArchive
from evaluation.images import decode_rgb, encode_png
from evaluation.intake.example import example_zip
from evaluation.intake.findings import DETAILS, KINDS, Report
from evaluation.intake.packed import folder_files, packed_files
from evaluation.intake.pictures import Picture, examine
from evaluation.intake.survey import Survey, survey
from evaluation.zips.directory import count_files
from evaluation.zips.rules import ArchiveLimits
from tests.conftest import smooth_image

SIZE = 64
GPS = 0x8825


def png(seed: int, size: int = SIZE) -> bytes:
    return encode_png(smooth_image(seed, size))


def saved(image: Image.Image, form: str, **options: object) -> bytes:
    target = BytesIO()
    image.save(target, form, **options)
    return target.getvalue()


def codes(found: Picture | Survey) -> set[str]:
    findings = found.findings if isinstance(found, Picture) else found.report.findings
    return {finding.code for finding in findings}


def folders(n_contents: int = 3, n_styles: int = 3, split: str = "hidden/") -> dict[str, bytes]:
    files = {f"{split}contents/waves/{n}.png": png(n) for n in range(n_contents)}
    return files | {f"{split}styles/here/swirl/{n}.png": png(50 + n) for n in range(n_styles)}


def of(files: dict[str, bytes]) -> Survey:
    return survey(sorted(files.items()), SIZE)


def test_a_picture_of_the_right_form_passes_unchanged() -> None:
    picture = examine("a.png", png(1), SIZE)
    assert picture.findings == ()
    assert (decode_rgb(picture.png, "a", SIZE) == smooth_image(1)).all()


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>", "SVG"),
        (b"<?xml version='1.0'?><svg/>", "SVG"),
        (b"\xef\xbb\xbf <!DOCTYPE html><script>alert(1)</script>", "HTML"),
        (b"%PDF-1.7", "PDF"),
        (b"GIF89a", "GIF"),
        (b"", "EMPTY"),
        (b"hello", "TEXT"),
    ],
)
def test_what_is_no_picture_is_told_by_its_content_not_by_its_name(data: bytes, kind: str) -> None:
    picture = examine("innocent.png", data, SIZE)
    assert (codes(picture), picture.png) == ({"NOT_AN_IMAGE"}, b"")
    assert picture.findings[0].detail == kind
    assert kind in DETAILS


def test_a_picture_that_is_cut_off_is_left_out() -> None:
    assert codes(examine("a.jpg", saved(Image.fromarray(smooth_image(1, 128)), "JPEG")[:900], SIZE)) == {
        "BROKEN_IMAGE"
    }


def test_a_picture_of_a_great_many_pixels_is_not_decoded() -> None:
    bomb = saved(Image.new("1", (30_000, 30_000)), "PNG")
    assert codes(examine("a.png", bomb, SIZE)) == {"TOO_MANY_PIXELS"}


def test_a_small_picture_is_left_out_and_shown() -> None:
    picture = examine("a.png", png(1, 40), SIZE)
    assert (codes(picture), picture.png) == ({"TOO_SMALL"}, b"")
    assert picture.thumbnail.startswith(b"RIFF")


@pytest.mark.parametrize(("mode", "form"), [("CMYK", "JPEG"), ("L", "PNG"), ("P", "PNG"), ("RGBA", "PNG")])
def test_other_colour_spaces_are_converted_and_told(mode: str, form: str) -> None:
    picture = examine("a", saved(Image.fromarray(smooth_image(1)).convert(mode), form), SIZE)
    assert codes(picture) == {"NOT_RGB"}
    assert decode_rgb(picture.png, "a", SIZE).shape == (SIZE, SIZE, 3)


def test_transparency_becomes_white() -> None:
    clear = saved(Image.new("RGBA", (SIZE, SIZE), (255, 0, 0, 0)), "PNG")
    assert decode_rgb(examine("a", clear, SIZE).png, "a").min() == 255


def test_the_place_where_a_photograph_was_taken_is_removed() -> None:
    image = Image.fromarray(smooth_image(1))
    exif = image.getexif()
    exif.get_ifd(GPS)[1] = "N"
    exif.get_ifd(GPS)[2] = (48.0, 12.0, 5.0)
    data = saved(image, "JPEG", exif=exif)
    picture = examine("a.jpg", data, SIZE)
    assert codes(picture) == {"PLACE_REMOVED"}
    with Image.open(BytesIO(picture.png)) as kept:
        assert not kept.getexif()
        assert not kept.info


def test_a_photograph_is_turned_upright() -> None:
    image = Image.new("RGB", (SIZE, SIZE), "black")
    image.paste("white", (0, 0, SIZE, SIZE // 2))  # the upper half
    exif = image.getexif()
    exif[0x0112] = 6  # to be turned by a quarter
    made = decode_rgb(examine("a", saved(image, "PNG", exif=exif), SIZE).png, "a")
    assert made[:, SIZE - 4 :].mean() > 250
    assert made[:, :4].mean() < 5


def test_an_animation_is_left_out() -> None:
    frames = [Image.fromarray(smooth_image(n)) for n in range(2)]
    data = saved(frames[0], "WEBP", save_all=True, append_images=frames[1:])
    assert codes(examine("a", data, SIZE)) == {"ANIMATED"}


def test_contents_are_crossed_with_the_styles_of_their_split() -> None:
    files = {name.replace("hidden", "public"): png(99 - n) for n, name in enumerate(folders(1, 2))}
    found = of(folders(3, 2) | files)
    assert (found.report.n_hidden, found.report.n_public) == (6, 2)
    assert {row["split"] for row in found.rows if row["content"].startswith("public")} == {"public"}
    assert found.rows[0] | {"id": "", "content": "", "style": "", "split": ""} == {
        "id": "",
        "content": "",
        "style": "",
        "split": "",
        "culture": "here",
        "style_family": "swirl",
        "content_kind": "waves",
    }


def test_without_split_folders_no_hidden_picture_is_public() -> None:
    found = of(folders(10, 10, ""))
    assert (found.report.n_public, found.report.n_hidden) == (4, 64)
    assert "KNOWN_HIDDEN" not in codes(found)


def test_pairs_json_decides_where_it_is_given() -> None:
    row = {
        "id": "one",
        "content": "hidden/contents/waves/0.png",
        "style": "hidden/styles/here/swirl/0.png",
        "split": "hidden",
        "style_family": "s",
        "culture": "c",
        "content_kind": "k",
    }
    rows = [row, row | {"id": "two", "content": "gone.png"}, row | {"id": "three"}]
    text = json.dumps({"schema": 1, "size": SIZE, "pairs": rows}).encode()
    found = of(folders() | {"pairs.json": text})
    assert [pair["id"] for pair in found.rows] == ["one"]
    assert {"MISSING_FILE", "DOUBLE_PAIR", "NOT_USED"} <= codes(found)


@pytest.mark.parametrize("text", [b"[]", b"{", b"\xff\xfe", b'{"schema": 1, "size": 64, "pairs": []}'])
def test_a_pairs_file_that_cannot_be_read_is_told_and_fatal(text: bytes) -> None:
    report = of(folders() | {"pairs.json": text}).report
    assert report.is_fatal
    assert "BAD_PAIRS_FILE" in report.counts()


def test_duplicates_are_told_and_make_no_second_pair() -> None:
    found = of(folders(2, 1) | {"hidden/contents/waves/again.png": png(0)})
    assert found.report.n_hidden == 2
    assert [f.detail for f in found.report.findings if f.code == "DUPLICATE"] == [
        "hidden/contents/waves/0.png"
    ]


def test_a_hidden_picture_that_is_public_too_is_told() -> None:
    assert "KNOWN_HIDDEN" in codes(of(folders() | folders(1, 1, "public/")))


def test_licenses_are_missed_until_credits_name_them() -> None:
    files = folders(1, 1)
    assert of(files).report.counts()["NO_LICENSE"] == 2
    rows = [{"file": name, "author": "me", "license": "CC0-1.0"} for name in files]
    found = of(files | {"credits.json": json.dumps(rows).encode()})
    assert "NO_LICENSE" not in codes(found)
    assert found.credits["hidden/contents/waves/0.png"].author == "me"
    assert "BAD_CREDITS" in codes(of(files | {"credits.json": b"nonsense"}))


def test_groups_below_twenty_hidden_pairs_are_warned_of() -> None:
    thin = {f.file for f in of(folders(4, 4)).report.findings if f.code == "SMALL_SLICE"}
    assert thin == {"here", "swirl", "waves"}
    assert "SMALL_SLICE" not in codes(of(folders(5, 4)))


def test_nothing_hidden_and_nothing_at_all_are_fatal() -> None:
    assert of(folders(split="public/")).report.counts()["NO_HIDDEN_PAIRS"] == 1
    assert of({"notes.png": b"x"}).report.is_fatal
    assert of({}).report.is_fatal


def test_a_report_survives_being_stored() -> None:
    report = of(folders() | {"hidden/contents/waves/x.png": b"<svg/>"}).report
    assert Report.from_json(json.loads(json.dumps(report.to_json()))) == report
    assert codes_known(report)


def codes_known(report: Report) -> bool:
    return all(finding.code in KINDS for finding in report.findings)


def test_the_example_has_nothing_but_thin_groups(tmp_path: Path) -> None:
    path = tmp_path / "example.zip"
    path.write_bytes(example_zip())
    assert example_zip() == example_zip()
    with path.open("rb") as file:
        report = survey(packed_files(file, ArchiveLimits()), 256).report
    assert (report.n_public, report.n_hidden, set(report.counts())) == (1, 4, {"SMALL_SLICE"})


def zipped(tmp_path: Path, files: dict[str, bytes], method: int = zipfile.ZIP_STORED) -> Path:
    path = tmp_path / "data.zip"
    with zipfile.ZipFile(path, "w", method) as packed:
        for name, data in files.items():
            packed.writestr(name, data)
    return path


def names_in(path: Path) -> list[str]:
    with path.open("rb") as file:
        return [name for name, _ in packed_files(file, ArchiveLimits())]


def test_a_folder_around_everything_is_taken_off(tmp_path: Path) -> None:
    path = zipped(tmp_path, {"my set/contents/a.png": b"x", "__MACOSX/my set/._a": b"y"})
    assert "contents/a.png" in names_in(path)
    assert names_in(zipped(tmp_path, {"contents/a.png": b"x"})) == ["contents/a.png"]


@pytest.mark.parametrize("name", ["../a.png", "/a.png", "a\\b.png", "con/a.png"])
def test_paths_that_leave_the_folder_are_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(InvalidArchive) as refusal:
        names_in(zipped(tmp_path, {name: b"x"}))
    assert refusal.value.reason in ("PATH_TRAVERSAL", "ABSOLUTE_PATH", "BACKSLASH", "UNSAFE_NAME")


def test_a_zip_bomb_is_refused_before_it_is_unpacked(tmp_path: Path) -> None:
    path = zipped(tmp_path, {"contents/a.png": b"\0" * 5_000_000}, zipfile.ZIP_DEFLATED)
    with pytest.raises(InvalidArchive) as refusal:
        names_in(path)
    assert refusal.value.reason == "COMPRESSION_RATIO"


def test_links_in_a_folder_are_not_followed(tmp_path: Path) -> None:
    (tmp_path / "set").mkdir()
    (tmp_path / "secret").write_bytes(b"x")
    (tmp_path / "set" / "a.png").symlink_to(tmp_path / "secret")
    (tmp_path / "set" / "b.png").write_bytes(b"y")
    assert [name for name, _ in folder_files(tmp_path / "set")] == ["b.png"]


def test_files_are_counted_by_the_end_of_a_zip_alone() -> None:
    packed = BytesIO()
    with zipfile.ZipFile(packed, "w") as target:
        target.mkdir("waves")
        target.writestr("waves/1.png", b"x" * 700, zipfile.ZIP_DEFLATED)
        target.writestr("waves/2.png", b"y" * 80)
    data = packed.getvalue()
    end = data.index(b"PK\x01\x02")
    blank = data[:4] + bytes(end - 4) + data[end:]
    assert count_files(BytesIO(blank), len(data), ArchiveLimits()) == (2, 780)
    for broken in (data[:-1], data[:end] + b"PX" + data[end + 2 :], b""):
        with pytest.raises(InvalidArchive):
            count_files(BytesIO(broken), len(broken), ArchiveLimits())
