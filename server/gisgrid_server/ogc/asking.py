"""What does every address of the OGC APIs need? The layers, who may see them, and the pages."""

from __future__ import annotations

from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from gisgrid_server.edge.access import Doorkeeper
from gisgrid_server.edge.addresses import base_url
from gisgrid_server.layers.editions import Edition
from gisgrid_server.layers.published import Published
from gisgrid_server.ogc import page_values
from gisgrid_server.ogc.html import Pages
from gisgrid_server.settings import Settings


class Asking:
    """What every address of the OGC APIs needs: the layers, who may see them, and the pages.

    Parameters
    ----------
    published
        The layers.
    settings
        For the addresses in the answers.
    doorkeeper
        Who knows the keys.
    """

    def __init__(self, published: Published, settings: Settings, doorkeeper: Doorkeeper) -> None:
        self.published, self.settings, self.doorkeeper = published, settings, doorkeeper
        self.pages = Pages(settings)

    def base(self, request: Request) -> str:
        """Give the address that links begin with."""
        return base_url(request, self.settings)

    def edition(self, request: Request, layer_id: str) -> Edition:
        """Give a layer as it is now, if the client may see it."""
        shown = self.doorkeeper.check(self.published.catalogue[layer_id], request.scope)
        return self.published.edition(layer_id).within(shown.rights)

    def editions(self, request: Request) -> list[Edition]:
        """Give all layers that are ready and that the client may see."""
        shown = self.doorkeeper.pass_of(request.scope)
        return [
            edition.within(shown.rights)
            for layer, edition in self.published.editions()
            if isinstance(edition, Edition) and shown.opens(layer)
        ]

    def page(self, request: Request, template: str, title: Any, **values: object) -> Response:  # noqa: ANN401 - a text in one or two languages
        """Answer with a page."""
        frame = page_values.frame(request, self.base(request))
        city = self.published.catalogue.about.title
        return self.pages.answer(
            request, template, title=title, city=city, values={**frame, **values}
        )
