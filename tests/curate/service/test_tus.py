"""tus 1.0.0, clause by clause: https://tus.io/protocols/resumable-upload. Each test names the clause it holds us to."""

from email.utils import parsedate_to_datetime
from hashlib import sha256

import pytest

from curate.service.tus import OFFSET_STREAM
from curate.service.tus import metadata as read_metadata
from service.conftest import NOW_S, TUS, checksum, metadata

DATA = bytes(range(256)) * 4


@pytest.fixture
def url(sender):
    return sender.begin(DATA).headers["Location"]


# Core protocol


def test_every_answer_names_the_version(sender, url):
    """Tus-Resumable: "MUST be included in every request and response except for `OPTIONS` requests"."""
    assert sender.ask("HEAD", url).headers["Tus-Resumable"] == "1.0.0"
    assert sender.patch(url, 0, b"x").headers["Tus-Resumable"] == "1.0.0"
    assert sender.patch(url, 9, b"x").headers["Tus-Resumable"] == "1.0.0"
    assert sender.ask("HEAD", "/v1/uploads/none").headers["Tus-Resumable"] == "1.0.0"
    assert sender.ask("PUT", url).headers["Tus-Resumable"] == "1.0.0"
    assert sender.ask("HEAD", url, Authorization=None).headers["Tus-Resumable"] == "1.0.0"


@pytest.mark.parametrize("version", [None, "0.2.2", "1.0.1"])
def test_another_version_is_not_processed(sender, url, version):
    """Tus-Resumable: for another version "the Server MUST respond with the `412 Precondition Failed` status and MUST
    include the `Tus-Version` header into the response. In addition, the Server MUST NOT process the request."
    """
    answer = sender.patch(url, 0, b"abc", Tus_Resumable=version)
    assert answer.status_code == 412
    assert answer.headers["Tus-Version"] == "1.0.0"
    assert sender.offset(url) == 0


def test_head_tells_offset_length_and_is_not_cached(sender, url):
    """HEAD: "MUST always include the `Upload-Offset` header in the response [...] even if the offset is `0`", "MUST
    include the `Upload-Length` header if the size is known" and "MUST prevent the client and/or proxies from caching".
    """
    answer = sender.ask("HEAD", url)
    assert answer.status_code == 200
    assert (answer.headers["Upload-Offset"], answer.headers["Upload-Length"]) == ("0", str(len(DATA)))
    assert answer.headers["Cache-Control"] == "no-store"
    sender.patch(url, 0, DATA)
    assert sender.offset(url) == len(DATA)


def test_head_of_nothing_has_no_offset(sender):
    """HEAD: "If the resource is not found, the Server SHOULD return either the `404 Not Found`, `410 Gone` or `403
    Forbidden` status without the `Upload-Offset` header."
    """
    answer = sender.ask("HEAD", "/v1/uploads/none")
    assert answer.status_code == 404
    assert "Upload-Offset" not in answer.headers


def test_patch_of_nothing_is_not_found(sender):
    """PATCH: "against a non-existent resource it SHOULD return a `404 Not Found` status"."""
    assert sender.patch("/v1/uploads/none", 0, b"abc").status_code == 404


def test_patch_answers_with_the_new_offset(sender, url):
    """PATCH: "MUST acknowledge successful `PATCH` requests with the `204 No Content` status. It MUST include the
    `Upload-Offset` header containing the new offset."
    """
    first = sender.patch(url, 0, DATA[:100])
    assert (first.status_code, first.headers["Upload-Offset"]) == (204, "100")
    second = sender.patch(url, 100, DATA[100:])
    assert (second.status_code, second.headers["Upload-Offset"]) == (204, str(len(DATA)))


@pytest.mark.parametrize("kind", [None, "application/octet-stream", "multipart/form-data; boundary=x"])
def test_patch_must_be_an_offset_stream(sender, url, kind):
    """PATCH: "MUST use `Content-Type: application/offset+octet-stream`, otherwise the server SHOULD return a `415
    Unsupported Media Type` status."
    """
    assert sender.patch(url, 0, b"abc", Content_Type=kind).status_code == 415
    assert sender.offset(url) == 0


@pytest.mark.parametrize("offset", [0, 99, 101, len(DATA)])
def test_another_offset_is_a_conflict_and_changes_nothing(sender, bench, url, offset):
    """PATCH: "If the offsets do not match, the Server MUST respond with the `409 Conflict` status without modifying
    the upload resource."
    """
    sender.patch(url, 0, DATA[:100])
    assert sender.patch(url, offset, b"abc").status_code == 409
    assert sender.offset(url) == 100
    assert sender.patch(url, 100, DATA[100:]).status_code == 204


@pytest.mark.parametrize("offset", [None, "", "-1", "1.0", "0x10", "٣", "1" * 19, "nan"])
def test_an_offset_is_a_non_negative_integer(sender, url, offset):
    """Upload-Offset: the value "MUST be a non-negative integer"."""
    encoded = offset.encode() if offset else offset
    assert sender.patch(url, 0, b"abc", Upload_Offset=encoded).status_code == 400


def test_options_tell_what_is_offered_without_a_token(bench):
    """OPTIONS: "MUST contain the `Tus-Version` header. It MAY include the `Tus-Extension` and `Tus-Max-Size` headers."
    Of Tus-Resumable there: "the Server MUST ignore the header". Checksum: "The `Tus-Checksum-Algorithm` header MUST be
    included in the response to an `OPTIONS` request."
    """
    for path in ("/v1/uploads", "/v1/uploads/any"):
        answer = bench.client.options(path, headers={"Tus-Resumable": "9.9"})
        assert answer.status_code == 204
        assert answer.headers["Tus-Version"] == "1.0.0"
        assert answer.headers["Tus-Max-Size"] == str(bench.limits.file_bytes)
        assert set(answer.headers["Tus-Extension"].split(",")) == {
            "creation",
            "creation-with-upload",
            "checksum",
            "expiration",
            "termination",
        }
        assert "sha1" in answer.headers["Tus-Checksum-Algorithm"].split(",")


def test_the_method_override_is_the_method(sender, url):
    """X-HTTP-Method-Override: "MUST be interpreted as the request's method by the Server, if the header is presented.
    The actual method of the request MUST be ignored."
    """
    answer = sender.ask(
        "POST",
        url,
        DATA[:10],
        X_HTTP_Method_Override="PATCH",
        Upload_Offset="0",
        Content_Type=OFFSET_STREAM,
    )
    assert (answer.status_code, answer.headers["Upload-Offset"]) == (204, "10")
    assert sender.ask("GET", url, X_HTTP_Method_Override="DELETE").status_code == 204


# Creation


def test_creation_answers_with_a_location_and_keeps_the_metadata(sender):
    """POST: "MUST acknowledge a successful upload creation with the `201 Created` status" and "MUST set the `Location`
    header". "Responses to `HEAD` requests MUST include the `Upload-Metadata` header and its value as specified by the
    Client".
    """
    answer = sender.begin(DATA)
    assert answer.status_code == 201
    told = sender.ask("HEAD", answer.headers["Location"]).headers["Upload-Metadata"]
    assert told == metadata(clip="a" * 64, name="front.mp4", sha256=sha256(DATA).hexdigest())


def test_a_file_that_was_begun_is_gone_on_with(sender):
    """Beyond the text of tus: a creation that is repeated, as its answer was lost, finds what the first one began."""
    url = sender.begin(DATA).headers["Location"]
    sender.patch(url, 0, DATA[:7])
    again = sender.begin(DATA)
    assert (again.status_code, again.headers["Location"], again.headers["Upload-Offset"]) == (201, url, "7")
    sender.patch(url, 7, DATA[7:])
    assert sender.offset(sender.begin(DATA).headers["Location"]) == len(DATA)


def test_another_content_of_the_same_name_takes_its_place(sender):
    """Beyond the text of tus: a clip has one file of a name."""
    first = sender.begin(DATA).headers["Location"]
    sender.patch(first, 0, DATA[:7])
    second = sender.begin(DATA[::-1]).headers["Location"]
    assert sender.ask("HEAD", first).status_code == 410
    assert sender.offset(second) == 0


@pytest.mark.parametrize("length", [None, "", "-1", "ten", "1e3", "0", "9" * 19])
def test_a_length_is_needed(sender, length):
    """POST: "MUST include one of" Upload-Length and Upload-Defer-Length. Upload-Length: "a non-negative integer"; zero
    is refused as no file of a clip is empty.
    """
    told = metadata(clip="a" * 64, name="front.mp4", sha256="b" * 64)
    assert sender.ask("POST", "/v1/uploads", Upload_Length=length, Upload_Metadata=told).status_code == 400


def test_a_length_told_later_is_not_offered(sender):
    """Upload-Defer-Length belongs to creation-defer-length, which OPTIONS does not name."""
    told = metadata(clip="a" * 64, name="front.mp4", sha256="b" * 64)
    assert sender.ask("POST", "/v1/uploads", Upload_Defer_Length="1", Upload_Metadata=told).status_code == 400


@pytest.mark.parametrize(
    ("name", "length"), [("front.mp4", 2 * 1024**3 + 1), ("drive.json", 16 * 1024**2 + 1), ("offer.json", 10**17)]
)
def test_too_large_is_413(sender, name, length):
    """POST: "If the length of the upload exceeds the maximum, which MAY be specified using the `Tus-Max-Size` header,
    the Server MUST respond with the `413 Request Entity Too Large` status."
    """
    told = metadata(clip="a" * 64, name=name, sha256="b" * 64)
    answer = sender.ask("POST", "/v1/uploads", Upload_Length=str(length), Upload_Metadata=told)
    assert (answer.status_code, answer.json()["reason"]) == (413, "too_large")


@pytest.mark.parametrize(
    "name",
    [
        "../evil.mp4",
        "/etc/passwd",
        "",
        "..",
        "a/b.mp4",
        ".hidden.mp4",
        "a\\b.mp4",
        "a\0.mp4",
        "a\n.mp4",
        "front.exe",
        "DRIVE.JSON",
        "receipt.json",
        "reason.json",
        "x" * 200 + ".mp4",
        "é.mp4",
        "drive.json/..",
        "-rf.mp4",
    ],
)
def test_only_names_of_files_of_a_clip_are_taken(sender, bench, name):
    told = metadata(clip="a" * 64, name=name, sha256="b" * 64)
    answer = sender.ask("POST", "/v1/uploads", Upload_Length="10", Upload_Metadata=told)
    assert (answer.status_code, answer.json()["reason"]) == (400, "bad_name")
    assert bench.service.waiting() == 0


@pytest.mark.parametrize("clip", ["../" + "a" * 61, "A" * 64, "a" * 63, "a" * 65, "", "a" * 64 + "\n"])
def test_only_clip_ids_are_taken(sender, clip):
    told = metadata(clip=clip, name="front.mp4", sha256="b" * 64)
    assert sender.ask("POST", "/v1/uploads", Upload_Length="10", Upload_Metadata=told).status_code == 400


@pytest.mark.parametrize(
    "header",
    [
        None,
        "",
        "clip",
        "clip !!!",
        "clip YQ==,clip YQ==",
        ",",
        " ,",
        "clip " + "/w==",
        metadata(clip="a" * 64),
        metadata(clip="a" * 64, name="front.mp4", sha256="b" * 64, more="x"),
    ],
)
def test_metadata_must_be_what_it_should(sender, header):
    """Upload-Metadata: "The key MUST NOT contain spaces and commas and MUST NOT be empty. [...] the value MUST be
    Base64 encoded. All keys MUST be unique." What the service does not know it refuses.
    """
    answer = sender.ask("POST", "/v1/uploads", Upload_Length="10", Upload_Metadata=header)
    assert (answer.status_code, answer.json()["reason"]) == (400, "bad_header")


def test_metadata_is_read_as_it_is_written():
    """Upload-Metadata: "one or more comma-separated key-value pairs. The key and value MUST be separated by a space.
    [...] The value MAY be empty. In these cases, the space, which would normally separate the key and the value, MAY be
    left out."
    """
    assert read_metadata("name d29ybGQucGRm,is_confidential,empty ") == {
        "name": "world.pdf",
        "is_confidential": "",
        "empty": "",
    }
    assert read_metadata("") == {}


# Creation with upload


def test_a_creation_may_bring_bytes(sender, bench):
    """Creation with upload: "The Client MUST include the `Content-Type: application/offset+octet-stream` header. The
    Server SHOULD accept as many bytes as possible and MUST include the `Upload-Offset` header in the response".
    """
    told = metadata(clip="a" * 64, name="front.mp4", sha256=sha256(DATA).hexdigest())
    head = {"Upload_Length": str(len(DATA)), "Upload_Metadata": told}
    assert sender.ask("POST", "/v1/uploads", DATA[:9], **head).status_code == 415
    stream = {"Content_Type": OFFSET_STREAM}
    answer = sender.ask("POST", "/v1/uploads", DATA[:9], **head, **stream)
    assert (answer.status_code, answer.headers["Upload-Offset"]) == (201, "9")
    assert sender.offset(answer.headers["Location"]) == 9
    again = sender.ask("POST", "/v1/uploads", DATA[:9], **head, **stream)  # its answer was lost: nothing is added twice
    assert again.headers["Upload-Offset"] == "9"


# Expiration


def test_every_answer_of_an_unfinished_upload_tells_when_it_expires(sender, bench, url):
    """Upload-Expires: "MUST be included in every `PATCH` response if the upload is going to expire", and, known at the
    creation, in its answer; "MUST be in RFC 7231 datetime format".
    """
    begun = sender.begin(DATA)
    assert parsedate_to_datetime(begun.headers["Upload-Expires"]).timestamp() == NOW_S + bench.limits.unfinished_s
    bench.clock.now_s += 100
    patched = sender.patch(url, 0, b"\0")
    assert (
        parsedate_to_datetime(patched.headers["Upload-Expires"]).timestamp() == NOW_S + 100 + bench.limits.unfinished_s
    )


def test_an_expired_upload_is_gone_and_its_bytes_are_freed(sender, bench, url):
    """Expiration: "the Server SHOULD respond with the `404 Not Found` or `410 Gone` status. The latter one SHOULD be
    used if the Server is keeping track of expired uploads."
    """
    sender.patch(url, 0, DATA[:100])
    bench.clock.now_s += bench.limits.unfinished_s + 1
    gone = sender.ask("HEAD", url)
    assert (gone.status_code, "Upload-Offset" in gone.headers) == (410, False)
    assert sender.patch(url, 100, DATA[100:]).status_code == 410
    assert bench.service.uploads.sweep() == 1
    assert list((bench.root / "service/arriving").iterdir()) == []
    assert sender.ask("HEAD", url).status_code == 410
    assert sender.begin(DATA).headers["Upload-Offset"] == "0"


# Checksum


@pytest.mark.parametrize("algorithm", ["sha1", "sha256"])
def test_a_chunk_that_is_not_what_its_checksum_says_is_discarded(sender, bench, url, algorithm):
    """Checksum: "`460 Checksum Mismatch` if the checksums mismatch [...] the uploaded chunk MUST be discarded, and the
    upload and its offset MUST NOT be updated." "MUST support at least the SHA1 checksum algorithm".
    """
    bad = sender.patch(url, 0, DATA[:50], Upload_Checksum=checksum(DATA[:49], algorithm))
    assert (bad.status_code, bad.json()["reason"]) == (460, "checksum")
    assert sender.offset(url) == 0
    good = sender.patch(url, 0, DATA[:50], Upload_Checksum=checksum(DATA[:50], algorithm))
    assert (good.status_code, good.headers["Upload-Offset"]) == (204, "50")
    assert sender.patch(url, 50, DATA[50:], Upload_Checksum=checksum(DATA[50:], algorithm)).status_code == 204


@pytest.mark.parametrize("header", ["md5 AAAA", "sha256", "sha256 AAAA", "SHA256 " + "A" * 43 + "=", "sha1 !", ""])
def test_a_checksum_that_cannot_be_checked_is_a_bad_request(sender, url, header):
    """Checksum: "`400 Bad Request` if the checksum algorithm is not supported by the server"."""
    assert sender.patch(url, 0, DATA, Upload_Checksum=header).status_code == 400
    assert sender.offset(url) == 0


def test_a_checksum_binds_the_bytes_of_a_creation_too(sender):
    """Checksum: "data integrity of each `PATCH` request"; creation with upload: for a POST that brings bytes "similar
    rules as for the `PATCH` request and response apply".
    """
    told = metadata(clip="a" * 64, name="front.mp4", sha256=sha256(DATA).hexdigest())
    head = {"Upload_Length": str(len(DATA)), "Upload_Metadata": told, "Content_Type": OFFSET_STREAM}
    assert sender.ask("POST", "/v1/uploads", DATA, Upload_Checksum=checksum(DATA[1:]), **head).status_code == 460
    whole = sender.ask("POST", "/v1/uploads", DATA, Upload_Checksum=checksum(DATA), **head)
    assert (whole.status_code, whole.headers["Upload-Offset"]) == (201, str(len(DATA)))


# Termination


def test_a_deleted_upload_is_gone(sender, bench, url):
    """Termination: "the Server SHOULD free associated resources and MUST respond with the `204 No Content` status [...]
    For all future requests to this URL, the Server SHOULD respond with the `404 Not Found` or `410 Gone` status."
    """
    sender.patch(url, 0, DATA[:100])
    assert sender.ask("DELETE", url).status_code == 204
    assert sender.ask("HEAD", url).status_code == 410
    assert sender.ask("DELETE", url).status_code == 410
    assert list((bench.root / "service/arriving").iterdir()) == []


def test_what_is_unknown_is_not_found(bench, sender):
    assert sender.ask("GET", "/v1/other").status_code == 404
    assert sender.ask("PUT", "/v1/uploads").status_code == 405
    assert bench.client.get("/healthz", headers=TUS).json() == {"alive": True}
