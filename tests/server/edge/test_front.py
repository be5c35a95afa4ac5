"""Proxies, hosts, other sites' pages, logs, counts: what stands around every answer."""

import json
import logging

import pytest
from gisgrid_server.app import create_app
from gisgrid_server.edge.addresses import Doorbell
from gisgrid_server.edge.encodings import chosen_encoding, packed
from gisgrid_server.edge.problems import BadRequestError
from gisgrid_server.running.logs import JsonLines
from gisgrid_server.running.metrics import Metrics
from gisgrid_server.running.telemetry import OpenTelemetrySpans
from gisgrid_server.settings import Settings
from prometheus_client.parser import text_string_to_metric_families


def scope(client="10.0.0.1", **headers):
    pairs = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    return {
        "type": "http",
        "scheme": "http",
        "client": (client, 1),
        "headers": pairs,
        "server": ("s", 80),
    }


TRUSTING = Settings(trusted_proxies="10.0.0.0/8,::1")


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"host": "a.test"}, ("http", "a.test", "", "10.0.0.1")),
        ({"host": "a", "x_forwarded_proto": "https", "x_forwarded_host": "map.test"}, ("https", "map.test", "", "10.0.0.1")),
        ({"host": "a", "x_forwarded_for": "6.6.6.6, 1.2.3.4, 10.9.9.9"}, ("http", "a", "", "1.2.3.4")),
        ({"host": "a", "x_forwarded_prefix": "/city"}, ("http", "a", "/city", "10.0.0.1")),
        ({"host": "a", "x_forwarded_prefix": "//evil.test/x"}, ("http", "a", "", "10.0.0.1")),
        (
            {"host": "a", "forwarded": 'for=1.2.3.4;host=map.test;proto=https, for="[::1]"'},
            ("https", "map.test", "", "1.2.3.4"),
        ),
        (
            {"host": "a", "forwarded": "for=1.2.3.4;host=evil.test, for=6.6.6.6;host=map.test;proto=https, for=10.0.0.5;host=inner;proto=http"},
            ("https", "map.test", "", "6.6.6.6"),
        ),
        (
            {"host": "a", "x_forwarded_for": "1.2.3.4, 10.0.0.5", "x_forwarded_proto": "https, http", "x_forwarded_host": "map.test, inner"},
            ("https", "map.test", "", "1.2.3.4"),
        ),
        ({"host": "a", "x_forwarded_host": "map.test", "x_forwarded_proto": "https", "x_forwarded_port": "8443"}, ("https", "map.test:8443", "", "10.0.0.1")),
        ({"host": "a", "x_forwarded_host": "map.test", "x_forwarded_proto": "https", "x_forwarded_port": "443"}, ("https", "map.test", "", "10.0.0.1")),
        ({"host": "a", "forwarded": "for=1.2.3.4;host=map.test;proto=https"}, ("https", "map.test", "", "1.2.3.4")),
    ],
)  # fmt: skip
def test_a_trusted_proxy_says_what_the_client_asked(given, expected):
    origin = Doorbell(TRUSTING).origin(scope(**given))
    assert (origin.scheme, origin.host, origin.prefix, origin.client) == expected


def test_anybody_else_says_nothing():
    told = scope(
        "6.6.6.6",
        host="a",
        x_forwarded_host="evil.test",
        x_forwarded_proto="https",
        x_forwarded_for="1.1.1.1",
    )
    for doorbell in (Doorbell(TRUSTING), Doorbell(Settings())):
        origin = doorbell.origin(told)
        assert (origin.scheme, origin.host, origin.client) == ("http", "a", "6.6.6.6")


@pytest.mark.parametrize("host", ["evil.test/x", "a b", "a,b", "", "x" * 300, "<script>"])
def test_a_host_that_is_none_is_refused(host):
    with pytest.raises(BadRequestError):
        Doorbell(Settings()).origin(scope(host=host))


def test_only_its_own_names_are_answered_to(city, serve, problem, place):
    client = serve(city, allowed_hosts="map.test,*.city.example")
    for host in ("map.test", "map.test:8000", "a.city.example"):
        assert client.get("/api/catalogue", headers={"Host": host}).status_code == 200
    for host in ("city.example", "evil.test", "map.test.evil.test"):
        problem(client.get("/api/catalogue", headers={"Host": host}), 400)
        problem(client.get(f"/tiles/communities/{place}.mvt", headers={"Host": host}), 400)
    assert client.get("/healthz", headers={"Host": "10.1.2.3"}).status_code == 200


def test_below_a_path(city, serve, place):
    client = serve(city, root_path="/city")
    for prefix in ("", "/city"):
        assert client.get(f"{prefix}/api/catalogue").status_code == 200
        (url,) = client.get(f"{prefix}/tiles/communities/tilejson.json").json()["tiles"]
        assert url.startswith("http://city.test/city/tiles/communities/")
        assert client.get(f"{prefix}/tiles/communities/{place}.mvt").status_code == 200


def test_pages_of_named_sites_may_read(city, serve, place):
    client = serve(city, cors_origins="https://map.example.org")
    for path in (f"/tiles/communities/{place}.mvt", "/api/catalogue"):
        let_in = client.get(path, headers={"Origin": "https://map.example.org"})
        assert let_in.headers["access-control-allow-origin"] == "https://map.example.org"
        other = client.get(path, headers={"Origin": "https://evil.example"})
        assert "access-control-allow-origin" not in other.headers
        assert "Origin" in other.headers.get_list("vary")
    asked = client.request(
        "OPTIONS", "/api/catalogue", headers={"Origin": "https://map.example.org"}
    )
    assert asked.headers["access-control-allow-headers"].startswith("Authorization")
    closed = serve(city, cors_origins="")
    assert "access-control-allow-origin" not in closed.get("/api/catalogue").headers


@pytest.mark.parametrize(
    ("header", "encoding"),
    [
        (b"", ""), (b"gzip", "gzip"), (b"GZIP;Q=0.5", "gzip"), (b"gzip;q=0", ""), (b"*", "gzip"), (b"*;q=0", ""),
        (b"br", "br"), (b"zstd;q=0.9, br;q=0.8", "zstd"), (b"gzip;q=0.3, identity", ""), (b"gzip;q=x", ""),
        (b"gzip, deflate, br, zstd", "gzip"), (b"deflate", ""), (b";;,,=", ""), (b"gzip;q=1.5, br", "br"),
        (b"x" * 100_000, ""), (b"identity;q=0, gzip;q=0.1", "gzip"),
    ],
)  # fmt: skip
def test_weights_of_encodings_are_kept(header, encoding):
    assert chosen_encoding(header) == encoding


def test_equal_bytes_are_packed_alike():
    for encoding in ("gzip", "br", "zstd"):
        assert packed(b"abc" * 1000, encoding) == packed(b"abc" * 1000, encoding)


def families(client):
    text = client.get("/metrics").text
    return {family.name: family for family in text_string_to_metric_families(text)}


def value(found, family, suffix="", **labels):
    return sum(
        sample.value
        for sample in found[family].samples
        if sample.name == family + suffix and labels.items() <= sample.labels.items()
    )


def test_what_is_answered_is_counted(city, serve, place):
    client = serve(city)
    for _ in range(3):
        client.get(f"/tiles/communities/{place}.mvt")
    client.get("/tiles/nowhere/1/1/1.mvt")
    client.get("/api/catalogue")
    found = families(client)
    assert value(found, "gisgrid_requests", "_total", route="tile", status="200") == 3
    assert value(found, "gisgrid_requests", "_total", route="tile", status="404") == 1
    assert value(found, "gisgrid_tile_cache_hits", "_total") == 2
    assert value(found, "gisgrid_tile_cache_misses", "_total") == 1
    assert value(found, "gisgrid_request_seconds", "_count", route="tile") == 4
    assert value(found, "gisgrid_tile_drawing_seconds", "_count") == 1
    assert value(found, "gisgrid_tile_bytes", "_total", encoding="gzip") > 100
    assert value(found, "gisgrid_requests_in_flight") == 1  # this one
    assert value(found, "gisgrid_tile_cache_tiles") == 1
    opened = client.get("/metrics", headers={"Accept": "application/openmetrics-text"})
    assert opened.text.rstrip().endswith("# EOF")
    assert serve(city, metrics=False).get("/metrics").status_code == 404


def test_workers_count_together_and_one_that_has_gone_is_not_forgotten(tmp_path):
    first, second = Metrics(tmp_path), Metrics(tmp_path)
    first.count("tile_cache_hits", 3)
    second.count("tile_cache_hits", 4)
    first.close()
    assert b"gisgrid_tile_cache_hits_total 7.0" in second.page()[0]
    third = Metrics(tmp_path)
    third.count("tile_cache_hits")
    assert b"gisgrid_tile_cache_hits_total 8.0" in second.page()[0]
    assert len(list(tmp_path.iterdir())) == 2
    second.close()
    third.close()


def test_a_line_of_the_log_is_one_object(city, serve, place, caplog):
    client = serve(city, log_requests=True)
    with caplog.at_level(logging.INFO, logger="gisgrid.server"):
        client.get(f"/tiles/communities/{place}.mvt?key=secret", headers={"X-Request-ID": "a-1"})
        client.get("/api/catalogue?key=secret")
    lines = [json.loads(JsonLines().format(record)) for record in caplog.records]
    noted = [line for line in lines if line.get("path", "").startswith("/tiles")]
    assert noted[0]["status"] == 200
    assert noted[0]["request_id"] == "a-1"
    assert noted[0]["ms"] > 0
    assert "secret" not in caplog.text
    assert "secret" not in json.dumps(lines)


def test_spans_are_noted(city, place, client_of):
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import SimpleSpanProcessor
    from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

    kept = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(kept))
    settings = Settings(layers=city / "layers", data=city / "data", warm=False)
    app = create_app(settings, spans=OpenTelemetrySpans(provider))
    client = client_of(app)
    client.get(
        f"/tiles/communities/{place}.mvt",
        headers={"traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"},
    )
    (span,) = kept.get_finished_spans()
    assert span.name == "GET tiles"
    assert span.attributes["http.response.status_code"] == 200
    assert f"{span.context.trace_id:032x}" == "0af7651916cd43dd8448eb211c80319c"


def test_a_server_says_when_it_is_ready(city, serve):
    assert serve(city).get("/readyz").status_code == 503  # its life has not begun: nothing was read
    document = serve(city).get("/readyz").json()
    assert document["layers"] == 7


@pytest.mark.parametrize("path", ["/", "/healthz", "/conformance", "/collections", "/api/catalogue", "/openapi.json",
                                  "/collections/communities/items", "/metrics"])  # fmt: skip
def test_what_can_be_read_can_be_asked_for_its_headers_alone(client, path):
    read, asked = client.get(path), client.request("HEAD", path)
    assert (asked.status_code, asked.content) == (200, b"")
    assert asked.headers["content-type"] == read.headers["content-type"]
    assert asked.headers.get("etag") == read.headers.get("etag")


def test_a_slash_too_many_leads_to_the_right_place_behind_every_proxy(client):
    for headers in ({}, {"X-Forwarded-Host": "map.test", "X-Forwarded-Prefix": "/city"}):
        answer = client.get("/collections/?f=json", headers=headers, follow_redirects=False)
        assert (answer.status_code, answer.headers["location"]) == (307, "../collections?f=json")


@pytest.mark.parametrize("path", ["/api/catalogue", "/style.json", "/collections", "/?f=html", "/openapi.json",
                                  "/collections/communities/items", "/tiles/communities/tilejson.json"])  # fmt: skip
def test_documents_are_packed_and_not_sent_again_to_who_has_them(client, path):
    plain = client.get(path, headers={"Accept-Encoding": "identity"})
    assert "content-encoding" not in plain.headers
    tags = {plain.headers["etag"]}
    if not path.startswith("/tiles/"):
        for encoding in ("gzip", "br", "zstd"):
            answer = client.get(path, headers={"Accept-Encoding": encoding})
            assert answer.headers["content-encoding"] == encoding
            assert "Accept-Encoding" in ", ".join(answer.headers.get_list("vary"))
            assert answer.content == plain.content
            assert int(answer.headers["content-length"]) < len(plain.content)
            tags.add(answer.headers["etag"])
            for known in (answer.headers["etag"], f"W/{answer.headers['etag']}", "*"):
                again = client.get(
                    path, headers={"Accept-Encoding": encoding, "If-None-Match": known}
                )
                assert (again.status_code, again.content) == (304, b"")
        assert len(tags) == 4
    for known in (plain.headers["etag"], "*"):
        headers = {"Accept-Encoding": "identity", "If-None-Match": known}
        assert client.get(path, headers=headers).status_code == 304
