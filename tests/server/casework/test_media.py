"""Photos: what is kept of them, what is refused, where they lie, and who sees them."""

import errno
import io
import os
import struct
import threading
import time
import uuid
import zlib

import numpy as np
import pytest
from gisgrid_server.casework.photos import Photos
from gisgrid_server.casework.pictures import FULL_EDGE, THUMB_EDGE, redraw
from gisgrid_server.edge.keys import new_key
from gisgrid_server.edge.problems import FullError, PhotoError, PhotoNotFoundError, PhotoTypeError
from PIL import Image, ImageCms, PngImagePlugin
from PIL.TiffImagePlugin import IFDRational
from pyproj import Transformer

from gisgrid.casework.ledger import Event, Ledger

LON, LAT = Transformer.from_crs(4547, 4326, always_xy=True).transform(500_100, 3_895_100)
NAMES = ("张三的手机", "SECRET-NOTE", "2026:11:22")


def corners(size=(64, 32)):
    """Red in the upper left quarter, blue elsewhere: whoever turns it can be seen to."""
    image = Image.new("RGB", size, "blue")
    image.paste("red", (0, 0, size[0] // 2, size[1] // 2))
    return image


def noise(size=(200, 150)):
    values = np.random.default_rng(5).integers(0, 255, (size[1], size[0], 3), dtype=np.uint8)
    return Image.fromarray(values)


def saved(image, form="JPEG", **options):
    file = io.BytesIO()
    image.save(file, form, **options)
    return file.getvalue()


def tags(*, orientation=1, lat=(34.0, 45.0, 30.0), lon=(113.0, 39.0, 0.0), sides=("N", "E")):
    exif = Image.Exif()
    exif[0x0112], exif[0x010F] = orientation, "SECRET-NOTE"
    inner = exif.get_ifd(0x8769)
    inner[0x9003], inner[0x9011], inner[0x927C] = "2026:11:22 08:00:00", "+08:00", b"SECRET-NOTE"
    gps = exif.get_ifd(0x8825)
    gps[1], gps[2], gps[3], gps[4], gps[31] = sides[0], lat, sides[1], lon, 4.5
    return exif


def colours(data):
    image = Image.open(io.BytesIO(data))
    return [image.getpixel(at) for at in ((2, 2), (image.width - 3, 2), (2, image.height - 3))]


def is_red(pixel):
    return pixel[0] > 150 > pixel[2]


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP"])
def test_nothing_but_pixels_is_kept(form):
    options = {"xmp": b"<x:xmpmeta>SECRET-NOTE</x:xmpmeta>"} if form != "PNG" else {}
    if form == "PNG":
        info = PngImagePlugin.PngInfo()
        info.add_itxt("XML:com.adobe.xmp", "SECRET-NOTE")
        options["pnginfo"] = info
    if form == "JPEG":
        options["comment"] = b"SECRET-NOTE"
    data = saved(corners(), form, exif=tags(), **options)
    assert b"SECRET-NOTE" in data
    picture = redraw(data)
    for kept in (picture.full, picture.thumb):
        assert b"SECRET" not in kept
        assert b"Exif" not in kept
        assert b"2026" not in kept
        image = Image.open(io.BytesIO(kept))
        assert image.format == "JPEG"
        assert not image.getexif()
        assert set(image.info) <= {"jfif", "jfif_version", "jfif_unit", "jfif_density", "progressive", "progression"}  # fmt: skip
    assert (picture.place.lon, picture.place.lat, picture.place.accuracy_m) == (
        113.65,
        34.7583333,
        4.5,
    )
    assert picture.taken_at.isoformat() == "2026-11-22T08:00:00+08:00"


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_photo_is_turned_upright(orientation):
    back = {2: 0, 3: 3, 4: 1, 5: 5, 6: 2, 7: 6, 8: 4}  # what Pillow calls the turn that undoes each
    stored = corners((60, 40))
    if orientation in back:
        stored = stored.transpose(Image.Transpose(back[orientation]))
    picture = redraw(saved(stored, exif=tags(orientation=orientation), quality=95))
    assert (picture.width, picture.height) == (60, 40)
    assert list(map(is_red, colours(picture.full))) == [True, False, False]


@pytest.mark.parametrize(
    "wrong",
    [
        {"lat": (0.0, 0.0, 0.0), "lon": (0.0, 0.0, 0.0)},
        {"lat": (113.0, 39.0, 0.0)},
        {"lon": (181.0, 0.0, 0.0)},
        {"lat": (IFDRational(1, 0), 0.0, 0.0)},
        {"lat": (34.0, 75.0, 0.0)},
        {"sides": ("Q", "E")},
    ],
)
def test_a_place_that_cannot_be_is_none(wrong):
    assert redraw(saved(corners(), exif=tags(**wrong))).place is None
    assert redraw(saved(corners())).place is None


def test_a_place_in_the_south_and_west_is_there():
    place = redraw(saved(corners(), exif=tags(sides=("S", "W")))).place
    assert (place.lon, place.lat) == (-113.65, -34.7583333)


def test_tags_that_cannot_be_read_do_no_harm():
    data = saved(corners(), exif=tags())
    start = data.index(b"Exif\0\0")
    for at in range(start + 6, start + 120, 3):
        broken = bytearray(data)
        broken[at : at + 4] = b"\xff\xfe\xff\xfe"
        assert redraw(bytes(broken)).width in {64, 32}


def test_a_large_photo_becomes_smaller_and_a_small_one_stays():
    picture = redraw(saved(Image.new("RGB", (5120, 1280), "green")))
    assert (picture.width, picture.height) == (FULL_EDGE, FULL_EDGE // 4)
    assert Image.open(io.BytesIO(picture.thumb)).size == (THUMB_EDGE, THUMB_EDGE // 4)
    assert (redraw(saved(Image.new("RGB", (1, 1)))).width) == 1
    assert (redraw(saved(Image.new("RGB", (20_000, 2)))).height) == 1


def test_what_is_clear_becomes_white_and_every_mode_can_be_seen():
    clear = Image.new("RGBA", (40, 40), (255, 0, 0, 0))
    for image, form in ((clear, "PNG"), (clear, "WEBP"), (clear.convert("LA"), "PNG"), (clear.quantize(), "PNG")):  # fmt: skip
        assert min(colours(redraw(saved(image, form)).full)[0]) > 240
    for mode in ("1", "L", "P", "I;16", "CMYK"):
        form = "JPEG" if mode == "CMYK" else "PNG"
        white = Image.new(mode, (20, 20), {"1": 1, "L": 255, "P": 255, "I;16": 65_535, "CMYK": (0, 0, 0, 0)}[mode])  # fmt: skip
        if mode == "P":
            white = Image.new("RGB", (20, 20), "white").quantize()
        assert min(colours(redraw(saved(white, form)).full)[0]) > 240, mode


def test_colours_are_those_of_a_screen():
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    assert redraw(saved(corners(), icc_profile=profile)).full
    assert redraw(saved(corners(), icc_profile=b"no profile at all")).full


SOUND = {form: saved(noise(), form) for form in ("JPEG", "PNG", "WEBP")}


@pytest.mark.parametrize("form", SOUND)
def test_wherever_a_photo_is_cut_off_it_is_refused(form):
    data = SOUND[form]
    for length in [*range(1, 60), *range(60, len(data), max(1, len(data) // 60)), len(data) - 1]:
        with pytest.raises(PhotoError):
            redraw(data[:length])


@pytest.mark.parametrize("form", SOUND)
@pytest.mark.parametrize(
    "rider",
    [b"<html><script>alert(1)</script>", b"%PDF-1.7", b"<?php system($_GET[0]); ?>", b"PK\x05\x06" + b"\0" * 18, b"<svg onload=x>"],
)  # fmt: skip
def test_a_file_that_is_something_else_besides_is_refused(form, rider):
    with pytest.raises(PhotoError, match="another document"):
        redraw(SOUND[form] + rider)
    with pytest.raises(PhotoError, match="another document"):
        redraw(_inside(form, rider))


def _inside(form, rider):
    """A sound file that holds a rider where its remarks stand."""
    if form == "JPEG":
        return saved(noise(), comment=rider)
    if form == "PNG":
        data = SOUND[form]
        part = b"tEXt" + b"Comment\0" + rider
        return data[:33] + struct.pack(">I", len(part) - 4) + part + struct.pack(">I", zlib.crc32(part)) + data[33:]  # fmt: skip
    return saved(noise(), form, xmp=rider)


def test_what_a_telephone_puts_behind_a_photo_is_left_out():
    film = b"\0\0\0\x18ftypmp42" + bytes(np.random.default_rng(1).integers(0, 255, 300_000, dtype=np.uint8))  # fmt: skip
    second = saved(corners())
    for rider in (film, second, b"\0" * 64, b"SEFH\0\0\0\0SEFT"):
        picture = redraw(SOUND["JPEG"] + rider)
        assert picture.full == redraw(SOUND["JPEG"]).full


def test_moving_pictures_are_refused():
    frames = [Image.new("RGB", (20, 20), colour) for colour in ("red", "green")]
    for form in ("PNG", "WEBP"):
        with pytest.raises(PhotoError, match="moving picture"):
            redraw(saved(frames[0], form, save_all=True, append_images=frames[1:], duration=100))


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (b"\0\0\0\x18ftypheic\0\0\0\0mif1heic", "HEIC.*Most Compatible"),
        (b"\0\0\0\x18ftypavif\0\0\0\0", "AVIF"),
        (b"GIF89a", "GIF"),
        (b'\xef\xbb\xbf <svg xmlns="http://www.w3.org/2000/svg"/>', "SVG"),
        (b"<!doctype html><p>", "HTML"),
        (b"%PDF-1.7", "PDF"),
        (b"PK\x03\x04", "ZIP"),
        (b"BM" + b"\0" * 60, "BMP"),
        (b"MZ\x90\0", "program"),
        (b"{}", "no known kind"),
    ],
)
def test_what_is_no_photo_is_named(data, told):
    with pytest.raises(PhotoTypeError, match=told) as refused:
        redraw(data)
    assert refused.value.zh


def test_a_few_kilobytes_do_not_unpack_to_gigabytes():
    bomb = saved(Image.new("1", (30_000, 30_000)), "PNG")
    assert len(bomb) < 200_000
    with pytest.raises(PhotoError, match="24 million"):
        redraw(bomb)
    wide = saved(Image.new("L", (65_000, 1_000)), quality=1)
    with pytest.raises(PhotoError, match="64 million"):
        redraw(wide)


def test_bytes_that_are_changed_never_break_anything_else():
    rng = np.random.default_rng(3)
    for form, data in SOUND.items():
        for _ in range(60):
            broken = bytearray(data)
            for at in rng.integers(0, len(data), 4):
                broken[at] = rng.integers(0, 256)
            try:
                redraw(bytes(broken))
            except PhotoError as error:
                assert str(error), form  # noqa: PT017 - it may also be read


@pytest.fixture
def ledger(tmp_path):
    with Ledger.open(f"sqlite:///{tmp_path}/cases.db") as opened:
        yield opened


@pytest.fixture
def photos(ledger, tmp_path):
    opened = Photos(tmp_path / "media", ledger)
    (tmp_path / "media" / "tidied").touch()  # today
    yield opened
    opened.close()


def report(ledger, case_id, *names):
    at = ledger._clock()
    event = Event(case_id, "reported", at, "somebody", (113.6, 34.7), "", {"photos": list(names)})
    ledger.append(event)


def files(folder):
    return sorted(
        path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()
    )


def test_a_photo_lies_by_its_content_once(photos, tmp_path):
    import hashlib

    kept = photos.keep(SOUND["JPEG"])
    assert photos.keep(SOUND["JPEG"]).id == kept.id
    path = photos.file(kept.id)
    assert hashlib.sha256(path.read_bytes()).hexdigest() == kept.id
    beside = f"{kept.id[:2]}/{kept.id[2:4]}/{kept.id}"
    assert {f"{beside}.jpg", f"{beside}.thumb.jpg"} <= set(files(tmp_path / "media"))
    with Image.open(photos.file(kept.id, "thumb")) as thumb:
        assert thumb.size == (200, 150)


@pytest.mark.parametrize("name", ["0" * 64, "../../etc/passwd", "", "a", "A" * 64, "é" * 64, "0" * 63 + "\n"])  # fmt: skip
def test_a_photo_that_is_not_there_is_not_there(photos, name):
    with pytest.raises(PhotoNotFoundError):
        photos.file(name)
    with pytest.raises(PhotoError):
        photos.demand([name])


def test_the_ledger_says_whose_a_photo_is(photos, ledger):
    name = photos.keep(SOUND["PNG"]).id
    assert list(photos.cases(name)) == []
    report(ledger, "A-1", name)
    assert list(photos.cases(name)) == ["A-1"]
    report(ledger, "A-2", name, "no-name", "0" * 64)
    assert set(photos.cases(name)) == {"A-1", "A-2"}
    assert photos.follow() is False


def test_another_process_or_a_lost_note_learns_it_from_the_ledger_again(photos, ledger, tmp_path):
    name = photos.keep(SOUND["PNG"]).id
    report(ledger, "A-1", name)
    assert list(photos.cases(name)) == ["A-1"]
    for path in (tmp_path / "media").rglob("*"):
        if path.name.endswith(".cases") or path.name == "known-until":
            path.unlink()
    again = Photos(tmp_path / "media", ledger)
    assert list(again.cases(name)) == ["A-1"]
    again.close()


def test_a_photo_that_nobody_names_goes_and_others_stay(photos, ledger, tmp_path):
    named, unnamed, fresh = (photos.keep(saved(Image.new("RGB", (10, 10), c))).id for c in ("red", "blue", "green"))  # fmt: skip
    report(ledger, "A-1", named)
    old = time.time() - 40 * 86_400
    left = photos.file(fresh).parent / f".{fresh}-killed"
    left.mkdir()
    for name in (named, unnamed):
        os.utime(photos.file(name), (old, old))
    os.utime(left, (old, old))
    assert photos.tidy() == 1
    assert not left.exists()
    assert not any(unnamed in path for path in files(tmp_path / "media"))
    photos.demand([named, fresh])


def test_once_a_day_it_is_tidied_up_by_itself(photos, tmp_path, until):
    name = photos.keep(SOUND["JPEG"]).id
    old = time.time() - 40 * 86_400
    for path in (photos.file(name), tmp_path / "media" / "tidied"):
        os.utime(path, (old, old))
    photos.keep(SOUND["PNG"])
    until(lambda: not any(name in path for path in files(tmp_path / "media")))


def test_who_sends_or_names_a_photo_again_has_the_whole_time(photos):
    old = time.time() - 40 * 86_400
    name = photos.keep(SOUND["JPEG"]).id
    for again in (lambda: photos.keep(SOUND["JPEG"]), lambda: photos.demand([name])):
        os.utime(photos.file(name), (old, old))
        again()
        assert photos.tidy() == 0


@pytest.mark.parametrize("reason", [errno.ENOSPC, errno.EDQUOT, errno.EIO])
def test_on_a_full_disk_nothing_is_left_half_written(photos, tmp_path, monkeypatch, reason):
    before = files(tmp_path / "media")

    def full(_handle):
        raise OSError(reason, os.strerror(reason))

    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", full)
        with pytest.raises(FullError):
            photos.keep(SOUND["JPEG"])
    assert [path for path in files(tmp_path / "media") if path not in before] == []
    assert photos.keep(SOUND["JPEG"]).id


def test_many_at_once_keep_one(photos, tmp_path):
    names = []
    threads = [threading.Thread(target=lambda: names.append(photos.keep(SOUND["JPEG"]).id)) for _ in range(6)]  # fmt: skip
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(names) == 6
    assert len(set(names)) == 1
    assert sum(path.endswith(".jpg") for path in files(tmp_path / "media")) == 2


@pytest.fixture
def keys(small_city):
    roles = {
        "district": {"role": "district", "grids": ["*"], "classes": ["*"]},
        "here": {"role": "community", "grids": ["419801001001"], "classes": ["*"]},
        "elsewhere": {"role": "community", "grids": ["419801002"], "classes": ["*"]},
        "other": {"role": "community", "grids": ["*"], "classes": ["99"]},
    }
    made = {name: new_key(name, **rights) for name, rights in roles.items()}
    (small_city / "keys.toml").write_text("\n".join(lines for _, lines in made.values()), "utf-8")
    return {name: {"X-API-Key": key} for name, (key, _) in made.items()}


@pytest.fixture
def client(small_city, keys, serve):
    return serve(small_city, keys_file=small_city / "keys.toml", max_photo_bytes=100_000)


def send(client, data, **options):
    return client.request("POST", "/api/report/photos", content=data, **options)


def report_by_http(client, *names):
    said = {"client_id": str(uuid.uuid4()), "lon": LON, "lat": LAT, "service_code": "0101", "photos": list(names)}  # fmt: skip
    return client.request("POST", "/api/report", json=said)


def test_a_photo_is_seen_by_who_may_see_its_case(client, keys, problem):
    answer = send(client, saved(corners(), exif=tags()), headers={"Content-Type": "image/jpeg"})
    assert (answer.status_code, answer.headers["cache-control"]) == (201, "no-store")
    told = answer.json()
    assert told["place"] == {"lon": 113.65, "lat": 34.7583333, "accuracy_m": 4.5}
    assert (told["taken_at"], told["width"], told["height"]) == (
        "2026-11-22T08:00:00+08:00",
        64,
        32,
    )
    path = f"/media/{told['id']}.jpg"
    problem(client.get(path, headers=keys["district"]), 404)  # in no case yet
    assert report_by_http(client, told["id"]).status_code == 201
    shown = client.get(path, headers=keys["district"])
    assert (shown.status_code, shown.headers["content-type"]) == (200, "image/jpeg")
    assert shown.headers["x-content-type-options"] == "nosniff"
    assert shown.headers["cache-control"] == "private, max-age=31536000, immutable"
    assert b"SECRET" not in shown.content
    same = {**keys["district"], "If-None-Match": shown.headers["etag"]}
    assert (client.get(path, headers=same).status_code, client.get(f"{path}?size=thumb", headers=same).status_code) == (304, 200)  # fmt: skip
    assert client.get(path, headers=keys["here"]).status_code == 200
    # Who does not see the case hears what they would hear of a photo that does not exist.
    nothing = client.get(f"/media/{'0' * 64}.jpg", headers=keys["elsewhere"]).json()["detail"]
    for name in ("elsewhere", "other"):
        hidden = problem(client.get(path, headers=keys[name]), 404)["detail"]
        assert hidden.replace(told["id"], "0" * 64) == nothing
        assert client.get(path, headers={**keys[name], "If-None-Match": shown.headers["etag"]}).status_code == 404  # fmt: skip
    for asked in (path, f"/media/{'0' * 64}.jpg"):
        problem(client.get(asked), 401)
    for listing in ("/media", "/media/", f"/media/{told['id'][:2]}/"):
        assert client.get(listing, headers=keys["district"]).status_code == 404


def test_a_photo_may_come_as_a_form(client):
    form = client.request("POST", "/api/report/photos", files={"photo": ("../../x.php", SOUND["JPEG"], "text/html")})  # fmt: skip
    assert form.json()["id"] == send(client, SOUND["JPEG"]).json()["id"]
    two = client.request("POST", "/api/report/photos", files=[("a", SOUND["JPEG"]), ("b", SOUND["JPEG"])])  # fmt: skip
    assert two.status_code == 400
    none = client.request("POST", "/api/report/photos", data={"a": "b"}, headers={"Content-Type": "multipart/form-data"})  # fmt: skip
    assert none.status_code == 400


def test_what_cannot_be_kept_is_told_as_a_problem(client, problem, small_city):
    assert "HEIC" in problem(send(client, b"\0\0\0\x18ftypheic\0\0\0\0"), 415)["detail_zh"]
    assert problem(send(client, b""), 400)["type"].endswith(":bad-photo")
    assert (
        problem(send(client, SOUND["JPEG"][:-9]), 400)["detail_zh"]
        == "照片文件不完整，请重新发送。"
    )
    assert problem(send(client, b"\xff\xd8\xff" + b"a" * 100_000), 413)
    form = {"photo": b"\xff\xd8\xff" + b"a" * 200_000}
    assert problem(client.request("POST", "/api/report/photos", files=form), 413)
    assert set(files(small_city / "data" / "media")) <= {"known-until"}


def test_a_report_that_names_an_unknown_photo_is_refused(client, problem):
    problem(report_by_http(client, "0" * 64), 400)
    assert client.get("/open311/v2/requests.json").json() == []


def test_a_full_disk_is_told(client, problem, monkeypatch):
    def full(_handle):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    assert problem(send(client, SOUND["JPEG"]), 507)["type"].endswith(":full")


def test_without_public_reports_a_key_is_needed_for_photos(small_city, keys, serve, problem):
    client = serve(small_city, keys_file=small_city / "keys.toml", public_reports=False)
    problem(send(client, SOUND["JPEG"]), 401)
    assert send(client, SOUND["JPEG"], headers=keys["here"]).status_code == 201
