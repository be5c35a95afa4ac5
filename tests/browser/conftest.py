"""The real server with a small synthetic city, and a real browser that looks at it."""

from __future__ import annotations

import shutil
import socket
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

CHROMIUM = next(
    (
        path
        for name in ("chromium", "chromium-browser", "google-chrome")
        if (path := shutil.which(name))
    ),
    None,
)
# No phone calls home, and WebGL without a graphics card.
FLAGS = [
    "--no-sandbox",
    "--use-angle=swiftshader",
    "--enable-unsafe-swiftshader",
    "--ignore-gpu-blocklist",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
PATIENCE_MS = 60_000


class MapPage:
    """A page of the browser with the map in it; everything that a playwright page can do, and the map's own."""

    def __init__(self, page: Any) -> None:
        self._page = page

    def __getattr__(self, name: str) -> Any:
        return getattr(self._page, name)

    def heard(self) -> None:
        """Wait until the page has acted on what was done to it: its effects run after the next frame is painted."""
        self._page.evaluate(
            """() => new Promise((done) => {
              let frames = 3;
              const next = () => (frames-- > 0 ? requestAnimationFrame(next) : setTimeout(done, 50));
              next();
            })"""
        )

    def click(self, selector: str, **options: Any) -> None:
        """Click, and let the page act on it."""
        self._page.click(selector, **options)
        self.heard()

    def check(self, selector: str, **options: Any) -> None:
        """Tick a box, and let the page act on it."""
        self._page.check(selector, **options)
        self.heard()

    def ready(self) -> None:
        """Wait until everything that is on has been drawn and the map stands still."""
        self.heard()
        self._page.wait_for_selector("body[data-ready=true]", state="attached")

    def drawn(self, part: str) -> int:
        """How many features one part of the style draws on screen; 0 where the part is not in the style."""
        return self._page.evaluate(
            """(part) => {
              const { map } = window.gisgrid;
              return map.getLayer(part) ? map.queryRenderedFeatures({ layers: [part] }).length : 0;
            }""",
            part,
        )

    def zoom_to(self, zoom: float) -> None:
        """Jump to a zoom and wait for the map."""
        self._page.evaluate("zoom => window.gisgrid.map.jumpTo({ zoom })", zoom)
        self.ready()

    @property
    def state(self) -> dict[str, Any]:
        """What the page believes is being looked at."""
        return self._page.evaluate("JSON.parse(JSON.stringify(window.gisgrid.store.state))")

    @property
    def hash(self) -> str:
        """The shareable end of the page's address."""
        return self._page.evaluate("window.location.hash")

    def answer(self, path: str) -> Any:
        """What the server answers to the page."""
        return self._page.evaluate("path => fetch(path).then((answer) => answer.json())", path)


OpenPage = Callable[..., MapPage]


@pytest.fixture(scope="session")
def city_data(tmp_path_factory: pytest.TempPathFactory, layers_dir: Path) -> Path:
    """A data folder with a small city and every derived layer."""
    from gisgrid.catalogue import Catalogue, FolderStore, build
    from gisgrid.testing import synthetic_city

    catalogue = Catalogue.read(layers_dir)
    store = FolderStore(tmp_path_factory.mktemp("city"))
    for name, frame in synthetic_city(n_issues=8_000, years=1).layers.items():
        path = store.path(catalogue[name])
        path.parent.mkdir(parents=True, exist_ok=True)
        frame.to_parquet(path)
    build(catalogue, store)
    return Path(store.path(catalogue["communities"])).parent


@pytest.fixture(scope="session")
def address(project: Path, layers_dir: Path, city_data: Path) -> Iterator[str]:
    """Where the map is."""
    if not (project / "server/gisgrid_server/static/index.html").is_file():
        pytest.skip("the web map has not been built (make assets)")
    import uvicorn
    from gisgrid_server.app import create_app
    from gisgrid_server.settings import Settings

    listening = socket.create_server(("127.0.0.1", 0))
    app = create_app(Settings(layers=layers_dir, data=city_data))
    server = uvicorn.Server(uvicorn.Config(app, log_level="warning"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
    thread.start()
    deadline = time.monotonic() + 60
    while not server.started:
        assert time.monotonic() < deadline, "the server did not start within a minute"
        time.sleep(0.05)
    yield f"http://127.0.0.1:{listening.getsockname()[1]}"
    server.should_exit = True
    thread.join(10)


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    """A headless Chromium."""
    sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    if CHROMIUM is None:
        pytest.skip("there is no Chromium on PATH (on Debian and Ubuntu: apt-get install chromium)")
    with sync_api.sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield chromium
        chromium.close()


@pytest.fixture
def open_page(browser: Any, address: str) -> Iterator[OpenPage]:
    """Open the map and wait until it is drawn; afterwards no error and no foreign request may have been seen."""
    contexts: list[Any] = []
    wrong: list[str] = []

    def opened(
        hash_: str = "#lang=zh", *, width: int = 1200, height: int = 760, strict: bool = True,
        before: Callable[[Any], None] | None = None, **options: Any,
    ) -> Any:  # fmt: skip
        size = {"width": width, "height": height}
        context = browser.new_context(viewport=size, locale="zh-CN", **options)
        context.set_default_timeout(PATIENCE_MS)
        contexts.append(context)
        page = context.new_page()
        page.on("request", lambda request: foreign(request.url))
        if strict:
            page.on(
                "console",
                lambda message: message.type in {"error", "warning"} and wrong.append(message.text),
            )
            page.on("pageerror", lambda error: wrong.append(str(error)))
        if before is not None:
            before(page)
        page.goto(f"{address}/{hash_}")
        opened_map = MapPage(page)
        opened_map.ready()
        return opened_map

    def foreign(url: str) -> None:
        if not url.startswith((address, "data:", "blob:")):
            wrong.append(f"asked another host: {url}")

    yield opened
    for context in contexts:
        context.close()
    assert wrong == []


@pytest.fixture(scope="session")
def keep_picture(project: Path) -> Callable[[Any, str], None]:
    """Keep what a page looks like, for a reader of the test's results."""
    folder = project / "ci-output"
    folder.mkdir(exist_ok=True)
    return lambda page, name: page.screenshot(path=folder / f"{name}.png")
