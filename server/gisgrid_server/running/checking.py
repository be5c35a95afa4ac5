"""Could it be served? Every setting is tried, and every layer read, before anybody depends on it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from gisgrid.casework.ledger import Ledger
from gisgrid.casework.ledger.storage import shown_address
from gisgrid.casework.routing import Routing
from gisgrid.catalogue import Layer
from gisgrid.desk.ledger_file import open_ledger
from gisgrid.desk.owners import class_codes
from gisgrid.desk.places import Ground
from gisgrid.desk.rules import read_city_rules
from gisgrid.errors import GisgridError, OutputError, did_you_mean
from gisgrid.progress import silent
from gisgrid_server.app import open_layers
from gisgrid_server.casework.hooks import read_hooks
from gisgrid_server.casework.service import OFF, keeps_cases
from gisgrid_server.edge.access import is_public
from gisgrid_server.edge.holders import ALL_LAYERS
from gisgrid_server.edge.keys import KeyEntry, read_keys
from gisgrid_server.edge.oidc import Tokens
from gisgrid_server.edge.rights import EVERYTHING
from gisgrid_server.layers.editions import Edition
from gisgrid_server.layers.published import Published
from gisgrid_server.running.telemetry import OpenTelemetrySpans
from gisgrid_server.settings import Settings
from gisgrid_server.tiles.archives import open_archive


@dataclass(frozen=True)
class Finding:
    """One thing that was tried.

    Attributes
    ----------
    is_well
        Whether it can be served.
    sentence
        What was found.
    """

    is_well: bool
    sentence: str


def check_settings(settings: Settings) -> list[Finding]:
    """Try everything that a server needs.

    Parameters
    ----------
    settings
        How it would be set up.

    Returns
    -------
    list of Finding
        What was found, in the order it was tried.
    """
    said = settings.model_dump(exclude_defaults=True)
    if settings.cases is not None:
        said["cases"] = shown_address(settings.cases)
    return [*(_well(f"{name} = {value}") for name, value in said.items()), *_tried(settings)]


def lay_down(settings: Settings, *, say: Callable[[str], object]) -> None:
    """Lay down every layer that does not lie ready yet, and bring the ledger up, before workers are started.

    Parameters
    ----------
    settings
        Where the layers and the data are.
    say
        Told what takes time.

    Raises
    ------
    CatalogueError
        The catalogue is not there or breaks a rule.
    InputError
        The data folder, the archive or the key file is not there.
    LedgerError
        The ledger of cases does not answer.
    OutputError
        The layers cannot be laid down.
    """
    if settings.keys_file is not None:
        read_keys(settings.keys_file)
    if settings.archive is not None:
        open_archive(settings.archive)
        return

    def told(step: str, share: float) -> None:
        if share == 0:
            say(f"laying down layer {step} …")

    published = open_layers(settings, progress=told)
    published.close()
    if keeps_cases(settings, published.catalogue, published.store):
        open_ledger(published.store, read_city_rules(settings.cases_rules), settings.cases).close()
    if settings.warm:
        for _, edition in published.editions():
            if not isinstance(edition, Edition) and isinstance(edition.__cause__, OutputError):
                raise edition.__cause__


def _tried(settings: Settings) -> Iterator[Finding]:
    try:
        if settings.telemetry:
            OpenTelemetrySpans()
        if settings.archive is not None:
            archive = open_archive(settings.archive)
            yield _well(f"the archive has the layers {', '.join(archive.layer_ids)}")
            return
        published = open_layers(settings, progress=silent)
    except GisgridError as error:
        yield from (_bad(line) for line in str(error).splitlines())
        return
    published.close()
    yield from _keys(settings, published)
    yield from _casework(settings, published)
    for layer, edition in published.editions():
        yield _layer(layer, edition)


def _keys(settings: Settings, published: Published) -> Iterator[Finding]:
    closed = {layer.id for layer in published.catalogue if not is_public(layer)}
    if settings.keys_file is None:
        scoped = {layer.id for layer in published.catalogue if layer.tiles is not None and layer.tiles.scoped_by is not None}  # fmt: skip
        if scoped & closed and settings.oidc_issuer is None:
            yield _well(f"{', '.join(sorted(scoped & closed))} are shown to who holds a key, and no key file is named")  # fmt: skip
        if closed := closed - scoped:
            yield _bad(
                f"{', '.join(sorted(closed))} need a key but no key file is named; set GISGRID_KEYS_FILE, "
                "or nobody can see them",
            )
        return
    try:
        entries = read_keys(settings.keys_file).values()
    except GisgridError as error:
        yield _bad(str(error))
        return
    for entry in entries:
        for name in entry.layers:
            if name != ALL_LAYERS and name not in published.catalogue:
                yield _bad(f"the key of {entry.name!r} opens {name!r}, which is no layer")
    yield _well(f"{len(entries)} keys open {', '.join(sorted(closed)) or 'nothing: every layer is public'}")  # fmt: skip


def _casework(settings: Settings, published: Published) -> Iterator[Finding]:
    """Try the ledger, who owns what, whose tokens are taken, and who is told what happens to cases."""
    try:
        if settings.cases not in {None, OFF}:
            with Ledger.open(settings.cases) as ledger:
                yield _well(
                    f"the ledger of cases answers; its last event is number {ledger.last_seq()}"
                )
        if settings.oidc_issuer is not None and settings.oidc_audience is not None:
            tokens = Tokens(
                settings.oidc_issuer, audience=settings.oidc_audience, claim=settings.oidc_claim
            )
            yield _well(f"{settings.oidc_issuer} has {tokens.try_issuer()} keys that sign tokens")
        if settings.hooks_file is not None:
            file = read_hooks(settings.hooks_file)
            file.check(read_city_rules(settings.cases_rules).life_cycle)
            names = ", ".join(hook.name for hook in file.hooks)
            yield _well(f"{len(file.hooks)} hooks are told what happens to cases: {names or 'none'}")  # fmt: skip
        if keeps_cases(settings, published.catalogue, published.store):
            yield from _owners(settings, published)
    except GisgridError as error:
        yield from (_bad(line) for line in str(error).splitlines())


def _owners(settings: Settings, published: Published) -> Iterator[Finding]:
    """List what has not exactly one owner, and keys of owners that nothing is given to."""
    rules = read_city_rules(settings.cases_rules)
    ground = Ground.of(published.catalogue, published.store)
    routing = Routing.of(rules.routing, class_codes(rules), ground.units)
    n_classes, n_units = len(routing.classes), len(routing.units)
    gaps = routing.gaps()
    if gaps.empty:
        yield _well(f"each of {n_classes} classes has exactly one owner in each of {n_units} units")
    for (code, owners), units in gaps.groupby(["category_code", "owners"])["unit_code"]:
        said = f"several owners, {str(owners).replace(';', ' and ')}" if owners else "no owner"
        yield _well(
            f"class {code} has {said}, in {len(units)} of {n_units} units, first {units.iloc[0]}; until a rule says one, "
            "its reports wait on the desk without an owner"
        )
    for entry in _entries(settings):
        for owner in entry.owners:
            if owner not in {*EVERYTHING, *routing.owner_ids}:
                yield _bad(
                    f"the key of {entry.name!r} settles cases as {owner!r}, who owns nothing by the rules"
                    f"{did_you_mean(owner, routing.owner_ids)}"
                )


def _entries(settings: Settings) -> tuple[KeyEntry, ...]:
    try:
        return tuple(read_keys(settings.keys_file).values()) if settings.keys_file else ()
    except GisgridError:
        return ()  # `_keys` has said it


def _layer(layer: Layer, edition: Edition | Exception) -> Finding:
    if not isinstance(edition, Edition):
        return _bad(f"{edition} ({edition.__cause__})" if edition.__cause__ else str(edition))
    try:
        if layer.tiles is not None and layer.kind != "table":
            _ = edition.source
    except GisgridError as error:
        return _bad(f"layer {layer.id!r} cannot be drawn: {error}")
    rows = "a raster" if edition.n_rows is None else f"{edition.n_rows} rows"
    return _well(f"layer {layer.id!r} is ready: {rows}, version {edition.version}")


def _well(sentence: str) -> Finding:
    return Finding(is_well=True, sentence=sentence)


def _bad(sentence: str) -> Finding:
    return Finding(is_well=False, sentence=sentence)
