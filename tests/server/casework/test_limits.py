"""A share for each key and each address; no more memory than was set."""

import pytest
from gisgrid_server.casework.limits import Buckets, Limits, site
from gisgrid_server.edge.addresses import ORIGIN, Doorbell
from gisgrid_server.edge.problems import TooManyError, problem_of
from gisgrid_server.edge.rights import PUBLIC, Rights
from gisgrid_server.settings import Settings
from hypothesis import given
from hypothesis import strategies as st

TOWN = Rights("town", frozenset({"report"}))


class Clock:
    time = 0.0

    def __call__(self):
        return self.time


def request_of(client, *, forwarded=None, trusted="10.0.0.1"):
    headers = [(b"host", b"city.test")]
    if forwarded:
        headers.append((b"x-forwarded-for", forwarded.encode()))
    scope = {"client": (client, 1), "headers": headers, "scheme": "http"}
    scope[ORIGIN] = Doorbell(Settings(trusted_proxies=trusted)).origin(scope)
    return scope


def taken(limits, scope, rights=PUBLIC, most=100):
    """How many requests are taken before one is refused."""
    for n in range(most):
        try:
            limits.check(scope, rights)
        except TooManyError:
            return n
    return most


@given(st.integers(1, 120), st.lists(st.floats(0, 30), min_size=1, max_size=200))
def test_in_no_minute_is_more_taken_than_a_full_bucket_and_what_comes_in(per_minute, waits):
    clock = Clock()
    buckets = Buckets(per_minute, clock=clock)
    times = []
    for wait in waits:
        clock.time += wait
        told = buckets.take("a")
        if told == 0:
            times.append(clock.time)
        else:
            assert 0 < told <= 60 / per_minute + 1e-9
    for start in times:
        assert sum(start <= time < start + 60 for time in times) <= 2 * per_minute


def test_who_waits_as_long_as_told_is_answered():
    clock = Clock()
    buckets = Buckets(3, clock=clock)
    assert [buckets.take("a") for _ in range(3)] == [0, 0, 0]
    wait = buckets.take("a")
    assert wait == pytest.approx(20)
    clock.time += wait * 0.9
    assert buckets.take("a") > 0
    clock.time += wait * 0.1 + 1e-6
    assert buckets.take("a") == 0


def test_memory_is_bounded_and_the_busy_are_remembered():
    buckets = Buckets(1, most=100, clock=Clock())
    for i in range(10_000):
        buckets.take("busy")
        buckets.take(f"a{i}")
    assert len(buckets) == 100
    assert buckets.take("busy") > 0


def test_an_address_and_a_key_have_their_own_shares():
    limits = Limits(Settings(reports_per_minute=5, key_reports_per_minute=20), clock=Clock())
    assert taken(limits, request_of("192.0.2.1")) == 5
    assert taken(limits, request_of("192.0.2.2")) == 5
    assert taken(limits, request_of("192.0.2.1"), TOWN) == 20
    assert taken(limits, request_of("192.0.2.9"), TOWN) == 0  # wherever the key is used
    assert taken(limits, request_of("192.0.2.9"), Rights("other", frozenset({"report"}))) == 20


def test_behind_a_proxy_that_is_trusted_its_clients_count_and_nobody_else_can_say_so():
    limits = Limits(Settings(reports_per_minute=5), clock=Clock())
    assert taken(limits, request_of("10.0.0.1", forwarded="192.0.2.1")) == 5
    assert taken(limits, request_of("10.0.0.1", forwarded="192.0.2.2")) == 5
    assert taken(limits, request_of("192.0.2.7", forwarded="192.0.2.3")) == 5
    assert taken(limits, request_of("192.0.2.7", forwarded="192.0.2.4")) == 0


def test_a_network_of_ipv6_is_one_sender():
    assert site("2001:db8::1") == site("2001:db8::ffff:1") != site("2001:db8:0:1::1")
    limits = Limits(Settings(reports_per_minute=5), clock=Clock())
    assert taken(limits, request_of("2001:db8::1")) == 5
    assert taken(limits, request_of("2001:db8::2")) == 0


def test_a_refusal_says_when_to_come_again():
    limits = Limits(Settings(reports_per_minute=6), clock=Clock())
    assert taken(limits, request_of("192.0.2.1")) == 6
    with pytest.raises(TooManyError) as refused:
        limits.check(request_of("192.0.2.1"), PUBLIC)
    problem = problem_of(refused.value)
    assert (problem.status, problem.headers["Retry-After"]) == (429, "10")


def test_the_server_refuses_what_is_too_much(small_city, serve, problem):
    client = serve(small_city, reports_per_minute=2)
    answers = [client.request("POST", "/api/report/photos", content=b"x") for _ in range(3)]
    assert [answer.status_code for answer in answers] == [415, 415, 429]
    assert problem(answers[2], 429)["type"].endswith(":too-many")
    assert int(answers[2].headers["retry-after"]) in range(1, 31)
    by_open311 = client.request("POST", "/open311/v2/requests.json", data={"service_code": "0101"})
    assert by_open311.status_code == 429
    assert by_open311.json()[0]["code"] == 429
    assert "retry-after" in by_open311.headers
    assert client.get("/open311/v2/services.json").status_code == 200
