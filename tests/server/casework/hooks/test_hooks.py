"""Receivers that fail, come back, are slow or are none of our business; a sender that is killed in between."""

import base64
import datetime as dt
import hashlib
import hmac
import http.server
import json
import threading
from collections import Counter

import httpx
import pytest
from gisgrid_server.casework.hooks import Hook, HookFile, Hooks, Outbox, read_hooks
from gisgrid_server.casework.hooks.outbox import OneSender
from gisgrid_server.casework.hooks.posting import Post, is_public
from gisgrid_server.casework.hooks.sending import Courier

from gisgrid.casework.ledger import Event, Ledger, read_life_cycle
from gisgrid.errors import InputError

SECRET = b"k" * 32
START = dt.datetime(2026, 11, 22, 8, tzinfo=dt.UTC)
HERE = {"allowed_hosts": ("127.0.0.1",)}


@pytest.fixture(autouse=True)
def _secret(monkeypatch):
    monkeypatch.setenv("WATER_SECRET", "whsec_" + base64.b64encode(SECRET).decode())


class Receiver:
    """A server of this machine that says what it is told to say, and keeps what it hears."""

    def __init__(self):
        self.answers, self.heard, self.lock = [], [], threading.Lock()
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["content-length"]))
                with outer.lock:
                    outer.heard.append((dict(self.headers), body))
                    status, headers = outer.answers.pop(0) if outer.answers else (204, {})
                self.send_response(status)
                for name, value in {**headers, "content-length": "0"}.items():
                    self.send_header(name, value)
                self.end_headers()

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/hook"
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.05,))
        self.thread.start()

    def close(self):
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()

    def subjects(self):
        return [json.loads(body)["subject"] for _, body in self.heard]


@pytest.fixture
def receiver():
    made = Receiver()
    yield made
    made.close()


class Clock:
    def __init__(self):
        self.now = START

    def __call__(self):
        self.now += dt.timedelta(milliseconds=10)
        return self.now

    def seconds(self):
        return self.now.timestamp()


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture(params=["sqlite", "postgresql"])
def ledger(request, tmp_path, clock):
    url = f"sqlite:///{tmp_path / 'cases.db'}"
    if request.param == "postgresql":
        url = request.getfixturevalue("postgresql_url")
    with Ledger.open(url, clock=clock) as made:
        yield made


def hook(url, **more):
    said = {"name": "water", "owner": "water", "url": url, "secret_env": "WATER_SECRET"}
    return Hook(**{**said, **more})


@pytest.fixture
def courier(ledger, clock):
    posts = []

    def make(one, **more):
        post = Post(["127.0.0.1"])
        posts.append(post)
        options = {"clock": clock.seconds, "chance": lambda: 1.0, **more}
        return Courier(one, ledger, Outbox(ledger.engine), post, **options)

    yield make
    for post in posts:
        post.close()


def case(ledger, case_id, *, owner="water", unit="419801001001", kind="0112"):
    """A case that was reported, filed and dispatched."""
    data = {
        "category_code": kind, "unit_code": unit, "contact": {"name": "Li Wei", "phone": "13800000000"},
        "description": "the neighbour Wang called",
    }  # fmt: skip
    at = START - dt.timedelta(hours=1)
    ledger.append(
        [
            Event(case_id, "reported", at, "the app", (113.5, 35.2), data=data),
            Event(case_id, "filed", at, "the centre"),
            Event(case_id, "dispatched", at, "Zhang San", why="call 13911111111", data={"owner": owner}),
        ]
    )  # fmt: skip


def run(courier):
    while courier.turn() == 0:
        pass


def test_messages_are_cloud_events_signed_as_standard_webhooks_say(ledger, receiver, courier):
    tell = courier(hook(receiver.url), source="https://map.city.test/api/desk/cases")
    run(tell)
    case(ledger, "A-1")
    run(tell)
    (headers, body), = receiver.heard  # fmt: skip
    message = json.loads(body)
    assert headers["content-type"] == "application/cloudevents+json; charset=utf-8"
    assert message["specversion"] == "1.0"
    assert message["type"] == "org.gisgrid.case.dispatched"
    assert message["subject"] == "A-1"
    assert message["id"] == headers["webhook-id"]
    assert message["data"]["state"] == "dispatched"
    assert message["data"]["owner"] == "water"
    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    made = base64.b64encode(hmac.new(SECRET, signed, hashlib.sha256).digest()).decode()
    assert headers["webhook-signature"] == f"v1,{made}"


def test_nobody_is_named_in_a_message(ledger, receiver, courier):
    tell = courier(hook(receiver.url, owner="*"))
    run(tell)
    case(ledger, "A-1")
    run(tell)
    assert len(receiver.heard) == 3
    told = b"".join(body for _, body in receiver.heard).decode()
    for secret in ("Li Wei", "13800000000", "Wang", "Zhang", "13911111111", "the centre"):
        assert secret not in told


def test_a_hook_hears_of_its_own_cases_only(ledger, receiver, courier):
    tell = courier(hook(receiver.url, kinds=("dispatched", "handed_over"), grids=("419801001",), classes=("01*",)))  # fmt: skip
    run(tell)
    case(ledger, "mine")
    case(ledger, "of the police", owner="police")
    case(ledger, "elsewhere", unit="419801002001")
    case(ledger, "of another class", kind="0201")
    at = START
    ledger.append(Event("mine", "handed_over", at, "x", why="not ours", data={"owner": "police"}))
    ledger.append(Event("mine", "handled", at, "x"))
    run(tell)
    told = [json.loads(body) for _, body in receiver.heard]
    assert [(one["subject"], one["data"]["kind"]) for one in told] == [
        ("mine", "dispatched"),
        ("mine", "handed_over"),
    ]
    assert told[1]["data"]["previous_owner"] == "water"


def test_a_new_hook_is_not_told_what_was_before(ledger, receiver, courier):
    case(ledger, "old")
    tell = courier(hook(receiver.url))
    run(tell)
    case(ledger, "new")
    run(tell)
    assert receiver.subjects() == ["new"]


def test_what_is_not_taken_is_sent_again_in_order_and_ever_later(ledger, receiver, courier, clock):
    tell = courier(hook(receiver.url))
    run(tell)
    for i in range(4):
        case(ledger, f"A-{i}")
    receiver.answers = [(204, {}), (500, {}), (302, {"location": "/elsewhere"}), (404, {})]
    waits = []
    for _ in range(3):
        wait = tell.turn()
        assert tell.turn() == pytest.approx(wait, abs=0.2)  # not before
        waits.append(wait)
        clock.now += dt.timedelta(seconds=wait)
    assert waits == pytest.approx([1, 2, 4], abs=0.3)
    run(tell)
    assert receiver.subjects() == ["A-0", "A-1", "A-1", "A-1", "A-1", "A-2", "A-3"]
    ids = Counter(headers["webhook-id"] for headers, _ in receiver.heard)
    assert sorted(ids.values()) == [1, 1, 1, 4]
    bodies = {body for headers, body in receiver.heard if ids[headers["webhook-id"]] == 4}
    assert len(bodies) == 1


def test_the_receiver_may_ask_for_patience(ledger, receiver, courier):
    tell = courier(hook(receiver.url))
    run(tell)
    case(ledger, "A-1")
    receiver.answers = [(429, {"retry-after": "120"})]
    assert tell.turn() == pytest.approx(120, abs=1)


def test_a_sender_that_died_goes_on_where_it_was(ledger, receiver, courier, clock):
    tell = courier(hook(receiver.url))
    run(tell)
    for i in range(3):
        case(ledger, f"A-{i}")
    receiver.answers = [(204, {}), (500, {})]
    assert tell.turn() > 0
    clock.now += dt.timedelta(hours=2)
    run(courier(hook(receiver.url)))
    assert receiver.subjects() == ["A-0", "A-1", "A-1", "A-2"]


def test_a_sender_killed_before_it_wrote_down_sends_the_same_message_again(ledger, receiver, courier, monkeypatch):  # fmt: skip
    tell = courier(hook(receiver.url))
    run(tell)
    case(ledger, "A-1")
    with monkeypatch.context() as patch:
        patch.setattr(Outbox, "keep", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            tell.turn()
    run(courier(hook(receiver.url)))
    (first, body), (second, same) = receiver.heard
    assert first["webhook-id"] == second["webhook-id"]
    assert body == same


def test_what_is_never_taken_is_put_aside_and_the_rest_goes_on(ledger, receiver, courier, clock):
    tell = courier(hook(receiver.url), give_up_after_days=2)
    run(tell)
    case(ledger, "lost")
    receiver.answers = [(500, {})] * 2
    tell.turn()
    clock.now += dt.timedelta(days=1)
    case(ledger, "late")
    tell.turn()
    clock.now += dt.timedelta(days=1, hours=1)
    run(tell)
    assert receiver.subjects() == ["lost", "lost", "late"]
    (dead,) = Outbox(ledger.engine).dead("water")
    assert dead.said == "status 500"
    assert dead.message_id == receiver.heard[0][0]["webhook-id"]
    assert Outbox(ledger.engine).dead("police") == []


def test_many_events_are_told_in_several_turns(ledger, receiver, courier):
    tell = courier(hook(receiver.url, owner="*", kinds=("reported",)))
    run(tell)
    for i in range(90):
        case(ledger, f"A-{i:03d}")
    run(tell)
    assert receiver.subjects() == [f"A-{i:03d}" for i in range(90)]


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "0.0.0.0", "224.0.0.1",  # noqa: S104 - looked at only
        "::1", "fe80::1%eth0", "fc00::1", "::ffff:127.0.0.1", "64:ff9b::7f00:1", "2002:7f00:1::", "no address",
    ],
)  # fmt: skip
def test_inner_addresses_are_not_public(address):
    assert not is_public(address)


def test_a_host_that_leads_inside_is_not_spoken_to(receiver):
    heard = []
    transport = httpx.MockTransport(lambda request: heard.append(request) or httpx.Response(200))
    inside = Post(resolve=lambda *_: ["8.8.8.8", "10.0.0.1"], transport=transport)
    outcome = inside.send("https://water.example.org/hook", b"{}", {})
    assert not outcome.is_taken
    assert "allowed_hosts" in outcome.said
    assert not heard
    outside = Post(resolve=lambda *_: ["8.8.8.8"], transport=transport)
    assert outside.send("https://water.example.org/hook?a=1", b"{}", {"webhook-id": "m"}).is_taken
    (request,) = heard
    assert str(request.url) == "https://8.8.8.8/hook?a=1"  # the address that was checked
    assert request.headers["host"] == "water.example.org"
    assert request.extensions["sni_hostname"] == "water.example.org"
    plain = Post()
    assert not plain.send(receiver.url, b"{}", {}).is_taken
    assert not receiver.heard
    for post in (inside, outside, plain):
        post.close()


def test_an_address_that_cannot_be_reached_is_passed_over():
    heard = []

    def answer(request):
        heard.append(request.url.host)
        if request.url.host == "2600::1":
            raise httpx.ConnectError("no route to host")
        if request.url.host == "8.8.8.8":
            raise httpx.ReadTimeout("it was sent, and nobody knows whether it was taken")
        return httpx.Response(204)

    def send(*addresses):
        heard.clear()
        with Post(resolve=lambda *_: addresses, transport=httpx.MockTransport(answer)) as post:
            return post.send("https://water.example.org/hook", b"{}", {})

    assert send("2600::1", "1.1.1.1", "9.9.9.9").is_taken
    assert heard == ["2600::1", "1.1.1.1"]
    assert not send("8.8.8.8", "1.1.1.1").is_taken
    assert heard == ["8.8.8.8"], "sent to another address what the first may have taken"
    assert "no route" in send("2600::1").said


@pytest.mark.parametrize(
    ("said", "wait_s"),
    [
        ({"retry-after": "90"}, 90),
        ({"retry-after": "Sun, 22 Nov 2026 08:02:00 GMT", "date": "Sun, 22 Nov 2026 08:00:00 GMT"}, 120),
        ({"retry-after": "Sun, 22 Nov 2026 07:00:00 GMT", "date": "Sun, 22 Nov 2026 08:00:00 GMT"}, 0),
        ({"retry-after": "Fri, 01 Jan 2100 00:00:00 GMT"}, 3600),
        ({"retry-after": "999999999"}, 3600),
        ({"retry-after": "soon"}, 0),
        ({"retry-after": "-5"}, 0),
        ({}, 0),
    ],
)  # fmt: skip
def test_the_receiver_says_how_long_in_seconds_or_as_a_date(said, wait_s):
    transport = httpx.MockTransport(lambda _: httpx.Response(503, headers=said))
    with Post(resolve=lambda *_: ["8.8.8.8"], transport=transport) as post:
        assert post.send("https://water.example.org/", b"{}", {}).wait_s == wait_s


def test_one_sends_of_all_that_could(ledger):
    first, second = OneSender(ledger.engine), OneSender(ledger.engine)
    assert first.is_mine()
    assert first.is_mine()
    assert not second.is_mine()
    first.let_go()
    assert second.is_mine()
    second.let_go()


def test_hooks_tell_while_they_run_and_one_of_two_does(ledger, receiver, until):
    file = HookFile(hooks=(hook(receiver.url),), **HERE)
    both = [Hooks(file, ledger) for _ in range(2)]
    for hooks in both:
        hooks.start()
    until(lambda: _is_known(ledger))
    for i in range(5):
        case(ledger, f"A-{i}")
    until(lambda: len(receiver.heard) >= 5)
    for hooks in both:
        hooks.close()
    assert receiver.subjects() == [f"A-{i}" for i in range(5)]


def _is_known(ledger):
    with ledger.engine.connect() as connection:
        return connection.exec_driver_sql("SELECT count(*) FROM gisgrid_hooks").scalar() == 1


FILE = """
allowed_hosts = ["127.0.0.1"]

[[hooks]]
name = "water"
owner = "water"
url = "https://water.example.org/hook"
secret_env = "WATER_SECRET"
kinds = ["dispatched", "reworked"]
classes = ["01*"]
"""


def test_a_file_of_hooks_is_read(tmp_path):
    path = tmp_path / "hooks.toml"
    path.write_text(FILE, "utf-8")
    file = read_hooks(path)
    file.check(read_life_cycle())
    assert file.hooks[0].secrets() == (SECRET,)
    assert file.hooks[0].within.category_prefixes == ("01",)


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("https://water.example.org", "http://water.example.org", "without https"),
        ("https://water.example.org", "ftp://water.example.org", "none to post to"),
        ("https://water", "https://me:pw@water", "none to post to"),
        ('secret_env = "WATER_SECRET"', "", "no secret is named"),
        ("WATER_SECRET", "NO_SUCH_VARIABLE", "which holds none"),
        ("secret_env", "secret_file", "cannot be read"),
        ('"dispatched"', '"dispatch"', "did you mean 'dispatched'"),
        ("[[hooks]]", "[[hook]]", "hook"),
        ('name = "water"', 'name = "Water!"', "name"),
    ],
)
def test_a_file_of_hooks_that_cannot_be_is_told(tmp_path, old, new, says):
    path = tmp_path / "hooks.toml"
    path.write_text(FILE.replace(old, new, 1), "utf-8")
    with pytest.raises(InputError, match=says):
        read_hooks(path).check(read_life_cycle())


def test_a_secret_is_exchanged_by_signing_with_both(tmp_path, ledger, receiver, courier):
    other = tmp_path / "secret"
    other.write_text("whsec_" + base64.b64encode(b"n" * 32).decode() + "\n", "utf-8")
    tell = courier(hook(receiver.url, secret_file=str(other)))
    run(tell)
    case(ledger, "A-1")
    run(tell)
    assert receiver.heard[0][0]["webhook-signature"].count("v1,") == 2
