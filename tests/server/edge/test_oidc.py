"""Tokens of an issuer: made here with keys of our own, fetched from an issuer that answers in this process."""

import asyncio
import base64
import json
import threading

import httpx
import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from gisgrid_server.edge.access import Doorkeeper
from gisgrid_server.edge.keys import new_key
from gisgrid_server.edge.oidc import TokenError, Tokens
from gisgrid_server.edge.problems import BusyError, KeyNeededError
from gisgrid_server.settings import Settings

ISSUER = "https://login.city.test/realms/city"
NOW = 1_790_000_000
CLAIM = {"role": "bureau", "owners": ["water"], "grids": ["419801"], "classes": ["01*"]}

RSA = rsa.generate_private_key(public_exponent=65537, key_size=2048)
WEAK = rsa.generate_private_key(public_exponent=65537, key_size=1024)  # noqa: S505 - to be refused
OTHER = rsa.generate_private_key(public_exponent=65537, key_size=2048)
EC = ec.generate_private_key(ec.SECP256R1())
BIG_EC = ec.generate_private_key(ec.SECP384R1())


def jwk(key, kid, **more):
    kind = jwt.algorithms.ECAlgorithm if isinstance(key, ec.EllipticCurvePrivateKey) else jwt.algorithms.RSAAlgorithm  # fmt: skip
    return {**kind.to_jwk(key.public_key(), as_dict=True), "kid": kid, **more}


class Issuer:
    """Answers as an issuer does; what it answers can be changed."""

    def __init__(self):
        self.keys = [jwk(RSA, "r1"), jwk(EC, "e1", use="sig", alg="ES256")]
        self.about = {"issuer": ISSUER, "jwks_uri": f"{ISSUER}/keys"}
        self.is_up, self.n_asked = True, 0

    def __call__(self, request):
        if not self.is_up:
            raise httpx.ConnectError("no route", request=request)
        if request.url.path.endswith("/.well-known/openid-configuration"):
            self.n_asked += 1
            return httpx.Response(200, json=self.about)
        return httpx.Response(200, json={"keys": self.keys})


class Clock:
    def __init__(self):
        self.now = NOW

    def __call__(self):
        return self.now


@pytest.fixture
def issuer():
    return Issuer()


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def tokens(issuer, clock):
    client = httpx.Client(transport=httpx.MockTransport(issuer))
    yield Tokens(ISSUER, audience="gisgrid", claim="city", client=client, clock=clock)
    client.close()


def token(key=RSA, kid="r1", algorithm="RS256", headers=None, **claims):
    said = {"iss": ISSUER, "aud": "gisgrid", "sub": "li.wei", "exp": NOW + 300, "city": CLAIM, **claims}  # fmt: skip
    said = {name: value for name, value in said.items() if value is not None}
    headers = {"kid": kid, **(headers or {})} if kid is not None else headers
    return jwt.encode(said, key, algorithm=algorithm, headers=headers).encode()


def test_a_token_gives_its_holder_what_the_claim_says(tokens):
    for one in (token(), token(EC, "e1", "ES256"), token(aud=["other", "gisgrid"])):
        rights = tokens.holder(one).rights
        assert rights.subject == "li.wei@login.city.test"
        assert rights.powers == {"see", "handle", "export"}
        assert rights.within().category_prefixes == ("01",)
        assert rights.within().owners == ("water",)


def test_a_token_without_the_claim_opens_nothing(tokens):
    holder = tokens.holder(token(city=None))
    assert holder.layers == ()
    assert not holder.rights.powers
    assert holder.rights.within().case_ids == ()


def unsigned():
    def part(value):
        return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=")

    claims = {"iss": ISSUER, "aud": "gisgrid", "sub": "x", "exp": NOW + 300, "city": CLAIM}
    return b".".join([part({"alg": "none", "kid": "r1"}), part(claims), b""])


def with_public_key_as_secret():
    """Signed by HMAC with the issuer's public key: the attack on those who believe the header."""
    import hmac

    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    pem = RSA.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    head = base64.urlsafe_b64encode(b'{"alg":"HS256","kid":"r1"}').rstrip(b"=")
    body = token().split(b".")[1]
    sign = hmac.digest(pem, head + b"." + body, "sha256")
    return b".".join([head, body, base64.urlsafe_b64encode(sign).rstrip(b"=")])


BAD = {
    "expired": lambda: token(exp=NOW - 31),
    "never expires": lambda: token(exp=None),
    "not yet": lambda: token(nbf=NOW + 31),
    "from the future": lambda: token(iat=NOW + 31),
    "of another issuer": lambda: token(iss="https://evil.test"),
    "for another": lambda: token(aud="other"),
    "for nobody": lambda: token(aud=None),
    "of nobody": lambda: token(sub=None),
    "of an unprintable name": lambda: token(sub="a\nb"),
    "signed by another": lambda: token(OTHER),
    "of an unknown key": lambda: token(OTHER, "r9"),
    "another algorithm": lambda: token(algorithm="RS512"),
    "signed as the other kind": lambda: token(EC, "r1", "ES256"),
    "unsigned": unsigned,
    "signed with the public key": with_public_key_as_secret,
    "with a critical header": lambda: token(headers={"crit": ["b64"], "b64": True}),
    "changed": lambda: token()[:-6] + b"AAAAAA",
    "no token": lambda: b"eyJ.x.y",
    "a role that is none": lambda: token(city={"role": "emperor"}),
    "a claim that is a word": lambda: token(city="system"),
    "a grid that is none": lambda: token(city={"role": "system", "grids": ["41' OR 1=1"]}),
}


@pytest.mark.parametrize("which", BAD)
def test_a_bad_token_is_refused(tokens, which):
    with pytest.raises(TokenError):
        tokens.holder(BAD[which]())


@pytest.mark.filterwarnings("ignore::jwt.warnings.InsecureKeyLengthWarning")  # our own weak key
def test_weak_and_unfit_keys_are_no_keys(tokens, issuer):
    issuer.keys = [
        jwk(WEAK, "weak"), jwk(BIG_EC, "p384"), jwk(RSA, "enc", use="enc"), jwk(RSA, "ps", alg="PS256"), {"kty": "oct", "k": "AAAA", "kid": "oct"},
        {"kty": "RSA", "kid": "broken", "n": "!", "e": "AQAB"}, "no key", jwk(EC, "e1"),
    ]  # fmt: skip
    for key, kid in ((WEAK, "weak"), (RSA, "enc"), (RSA, "ps")):
        with pytest.raises(TokenError):
            tokens.holder(token(key, kid))
    assert tokens.holder(token(EC, "e1", "ES256"))
    assert tokens.holder(token(EC, None, "ES256"))  # the only one


def test_keys_are_kept_and_fetched_again_when_an_unknown_one_is_named(tokens, issuer, clock):
    for _ in range(5):
        tokens.holder(token(nbf=NOW - _))
    assert issuer.n_asked == 1
    issuer.keys = [jwk(OTHER, "r2")]
    for _ in range(5):
        with pytest.raises(TokenError):  # asked a moment ago
            tokens.holder(token(OTHER, "r2"))
    assert issuer.n_asked == 1
    clock.now += 61
    assert tokens.holder(token(OTHER, "r2"))
    assert issuer.n_asked == 2
    with pytest.raises(TokenError):  # what the key that was taken back signed is no longer good
        tokens.holder(token())


def test_made_up_key_ids_do_not_make_the_server_ask(tokens, issuer, clock):
    tokens.holder(token())
    for i in range(50):
        clock.now += 1
        with pytest.raises(TokenError):
            tokens.holder(token(OTHER, f"made-up-{i}"))
    assert issuer.n_asked <= 2


def test_while_the_issuer_is_away_known_keys_go_on(tokens, issuer, clock):
    tokens.holder(token())
    issuer.is_up = False
    clock.now += 3000
    assert tokens.holder(token(exp=NOW + 9000))
    with pytest.raises(TokenError):
        tokens.holder(token(OTHER, "r2", exp=NOW + 9000))


def test_without_any_keys_the_answer_is_to_come_back(tokens, issuer, clock):
    issuer.is_up = False
    with pytest.raises(BusyError):
        tokens.holder(token())
    issuer.is_up = True
    clock.now += 61
    assert tokens.holder(token())


@pytest.mark.parametrize(
    "about",
    [
        {"issuer": "https://evil.test", "jwks_uri": f"{ISSUER}/keys"},
        {"issuer": ISSUER, "jwks_uri": "http://login.city.test/keys"},
        {"issuer": ISSUER},
        {"issuer": ISSUER, "jwks_uri": f"{ISSUER}/keys", "padding": "x" * 300_000},
    ],
)
def test_an_issuer_that_is_another_is_not_believed(tokens, issuer, about):
    issuer.about = about
    with pytest.raises(BusyError):
        tokens.holder(token())


def test_a_token_that_was_checked_expires_all_the_same(tokens, clock):
    one = token(exp=NOW + 100)
    assert tokens.holder(one) is tokens.holder(one)
    clock.now += 131
    with pytest.raises(TokenError):
        tokens.holder(one)


def test_an_event_loop_does_not_wait_for_the_issuer(tokens, issuer, clock):
    go = threading.Event()
    answer = issuer.__call__

    def slow(request):
        go.wait(5)
        return answer(request)

    tokens._client = httpx.Client(transport=httpx.MockTransport(slow))

    async def ask():
        with pytest.raises(BusyError):
            tokens.holder(token())

    asyncio.run(ask())
    go.set()
    tokens._asking.join(5)
    assert tokens.holder(token())
    tokens._client.close()


def scope_of(word, name=b"authorization"):
    return {"headers": [(name, b"Bearer " + word)], "query_string": b""}


def test_the_doorkeeper_takes_keys_and_tokens(tokens, tmp_path):
    key, lines = new_key("desk", role="district", grids=["*"], classes=["*"])
    path = tmp_path / "keys.toml"
    path.write_text(lines, "utf-8")
    door = Doorkeeper(path, tokens=tokens)
    assert door.rights(scope_of(key.encode())).subject == "desk"
    assert door.rights(scope_of(token())).subject == "li.wei@login.city.test"
    assert door.rights({"headers": [], "query_string": b""}).powers == {"report"}
    for bad in (b"unknown", token(exp=NOW - 99)):
        with pytest.raises(KeyNeededError):
            door.rights(scope_of(bad))
    with pytest.raises(KeyNeededError):  # where no issuer is named, a token is an unknown key
        Doorkeeper(path).rights(scope_of(token()))


@pytest.mark.parametrize(
    "said",
    [
        {"oidc_issuer": ISSUER},
        {"oidc_audience": "gisgrid"},
        {"oidc_issuer": "http://login.city.test", "oidc_audience": "gisgrid"},
        {"oidc_issuer": "login.city.test", "oidc_audience": "gisgrid"},
    ],
)
def test_settings_that_cannot_be_are_refused(said):
    with pytest.raises(ValueError, match="oidc"):
        Settings(**said)
