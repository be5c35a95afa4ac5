"""Where are the catalogue and the data, and how does another city begin?"""

from __future__ import annotations

import os
import re
import shutil
from importlib.resources import files
from pathlib import Path
from typing import Final

import gisgrid
from gisgrid.errors import CatalogueError, InputError, OutputError

LAYERS_VARIABLE: Final = "GISGRID_LAYERS"
DATA_VARIABLE: Final = "GISGRID_DATA"

_RESET: Final = ("licence", "attribution", "acquired")

_TITLE: Final = 'title = { zh = "我的城市", en = "My city" }'

_LAYER_README: Final = """# {zh} · {en}

Say here whence the data come, who made them, when, and how far to trust them.
这里说明数据从何而来、由谁制作、何时取得、可信到什么程度。
"""

_README: Final = """# A city managed by grid · 网格化管理的城市

1. Put your files into `data/`. Each `layers/<id>/layer.toml` says under `[source]` which file it reads, and under
   `[[fields]]` which columns that file must have. Change them to what you have; delete the folder of a layer you lack
   (and of the layers that are made from it).
   把文件放进 `data/`；每个 `layers/<id>/layer.toml` 写明读取哪个文件、需要哪些列。没有的图层可以删掉它的文件夹。
2. `gisgrid check` says what does not fit yet, in sentences. 检查数据是否符合约定。
3. `gisgrid build` makes counts, rates, hotspots and density. 生成统计、热点和密度图层。
4. `gisgrid serve` shows the map. 打开地图。

| layer · 图层 | file · 文件 |
|---|---|
{table}
"""


def standard_layers() -> Path:
    """Find the catalogue that comes with gisgrid.

    Returns
    -------
    Path
        The folder in the installed package, or that of the source checkout.

    Raises
    ------
    CatalogueError
        Neither is there.
    """
    packaged = Path(str(files("gisgrid") / "standard_layers"))
    checkout = Path(gisgrid.__file__).parents[1] / "layers"
    for folder in (packaged, checkout):
        if (folder / "catalogue.toml").is_file():
            return folder
    raise CatalogueError(
        f"the catalogue that comes with gisgrid is neither in {packaged} nor in {checkout}; install gisgrid again"
    )


def resolve_layers(argument: str | Path | None = None) -> Path:
    """Find the folder of the catalogue: the argument, else ``GISGRID_LAYERS``, else ``./layers``.

    Parameters
    ----------
    argument
        What the user said, if anything.

    Returns
    -------
    Path
        A folder that is there.

    Raises
    ------
    CatalogueError
        It is not there, or nothing was said and there is no ``./layers``.
    """
    named = argument or os.environ.get(LAYERS_VARIABLE)
    folder = Path(named or "layers")
    if folder.is_dir():
        return folder
    if named is None:
        raise CatalogueError(
            f"there is no folder 'layers' here and neither --layers nor {LAYERS_VARIABLE} names one; "
            "name one, or write one with gisgrid init DIR"
        )
    by = "--layers" if argument else LAYERS_VARIABLE
    raise CatalogueError(
        f"there is no folder of layers {str(folder)!r}, which {by} names; check the spelling, or write one with gisgrid init DIR"
    )


def resolve_data(argument: str | Path | None = None) -> Path:
    """Find the data folder: the argument, else ``GISGRID_DATA``, else ``./data``.

    Parameters
    ----------
    argument
        What the user said, if anything.

    Returns
    -------
    Path
        A folder that is there.

    Raises
    ------
    InputError
        It is not there.
    """
    named = argument or os.environ.get(DATA_VARIABLE)
    folder = Path(named or "data")
    if folder.is_dir():
        return folder
    if named is None:
        raise InputError(
            f"there is no folder 'data' here and neither --data nor {DATA_VARIABLE} names one; make it, or name one"
        )
    by = "--data" if argument else DATA_VARIABLE
    raise InputError(
        f"there is no data folder {str(folder)!r}, which {by} names; make it, or check the spelling"
    )


def init_folder(folder: str | Path) -> tuple[Path, ...]:
    """Write a fresh catalogue for another city: ``layers/``, an empty ``data/`` and a README.

    The layers are those that come with gisgrid; what their descriptions say of the synthetic city (licence,
    attribution, date) is left blank.

    Parameters
    ----------
    folder
        A folder that is not there yet, or is empty. The folder it stands in must exist.

    Returns
    -------
    tuple of Path
        What was written: the README, the layers folder and the data folder.

    Raises
    ------
    OutputError
        The folder is not empty, is a file, or cannot be written.
    """
    folder = Path(folder)
    if folder.exists() and not folder.is_dir():
        raise OutputError(f"{str(folder)!r} is a file, and a city needs a folder; name another")
    if folder.is_dir() and any(folder.iterdir()):
        first = min(path.name for path in folder.iterdir())
        raise OutputError(
            f"the folder {str(folder)!r} is not empty (it holds {first!r}), and nothing is written over; name another"
        )
    source = standard_layers()
    try:
        folder.mkdir(exist_ok=True)
        (folder / "data").mkdir()
        shutil.copytree(source, folder / "layers")
        rows = [_reset(path) for path in sorted((folder / "layers").glob("*/layer.toml"))]
        about = folder / "layers" / "catalogue.toml"
        about.write_text(re.sub(r"(?m)^title = .*$", _TITLE, about.read_text("utf-8")), "utf-8")
        table = "\n".join(row for row in rows if row)
        (folder / "README.md").write_text(_README.format(table=table), "utf-8")
    except OSError as error:
        raise OutputError(
            f"{str(folder)!r} cannot be written ({error.strerror}); make the folder it stands in first, or name another"
        ) from error
    return folder / "README.md", folder / "layers", folder / "data"


def _reset(path: Path) -> str:
    """Blank what a source's description says of another city, and give its row of the README's table."""
    text = path.read_text("utf-8")
    if "\n[source]" not in text:
        return ""
    for key in _RESET:
        text = re.sub(rf"(?m)^{key} = .*$", f'{key} = ""', text)
    text = re.sub(r"(?m)^sha256 = .*\n", "", text)
    path.write_text(text, "utf-8")
    titles = re.search(r'(?m)^title = \{ zh = "(.*)", en = "(.*)" \}$', text)
    source = re.search(r'(?m)^path = "(.*)"$', text)
    if titles is None or source is None:
        raise CatalogueError(
            f"{path} does not state title and path on one line each; write them so"
        )
    zh, en = titles.groups()
    (path.parent / "README.md").write_text(_LAYER_README.format(zh=zh, en=en), "utf-8")
    return f"| {path.parent.name} · {zh} | `data/{source.group(1)}` |"
