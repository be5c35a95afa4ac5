"""What `gisgrid tiles` says when it is done, in Chinese or English."""

from __future__ import annotations

from typing import Any, Final, Literal

from rich.console import Console
from rich.table import Table

from gisgrid.cli import endings
from gisgrid.cli.tiles.run import Done
from gisgrid.tiles.archive import Thinned, Written

_WORDS: Final[dict[Literal["zh", "en"], dict[str, str]]] = {
    "zh": {
        "layers": "图层", "zooms": "级别", "n_tiles": "瓦片", "n_contents": "其中互不相同", "n_empty": "空白（不写）",
        "n_resumed": "上次已完成", "n_bytes": "大小", "thinned": "未逐个显示", "left_out": "未写入：{}：{}",
        "of": "{layer} 第 {zoom} 级：{tiles} 张瓦片（{how}），{of:,} 个中显示 {shown:,} 个",
    },
    "en": {
        "layers": "layers", "zooms": "zooms", "n_tiles": "tiles", "n_contents": "that differ",
        "n_empty": "empty, not written", "n_resumed": "from the run before", "n_bytes": "size",
        "thinned": "not shown one by one", "left_out": "not written: {}: {}",
        "of": "{layer} at zoom {zoom}: {tiles} tiles ({how}), {shown:,} of {of:,}",
    },
}  # fmt: skip


def summary(done: Done) -> dict[str, Any]:
    """Say what was written, for programs.

    Parameters
    ----------
    done
        What was written.

    Returns
    -------
    dict
        JSON.
    """
    return {
        "archives": [_archive(layers, written) for layers, written in done.archives],
        "left_out": {name: why.model_dump() for name, why in done.left_out.items()},
        **endings.plain(done.notes, [written.path for _, written in done.archives]),
    }


def show(said: dict[str, Any], *, language: Literal["zh", "en"]) -> None:
    """Print what was written and what was not.

    Parameters
    ----------
    said
        As `summary` gives it.
    language
        The language to say it in.
    """
    console = Console()
    words = _WORDS[language]
    thinned = []
    for archive in said["archives"]:
        table = Table(title=archive["file"], show_header=False, title_justify="left", box=None)
        table.add_column()
        table.add_column()
        table.add_row(words["layers"], ", ".join(archive["layers"]))
        table.add_row(words["zooms"], "{}–{}".format(*archive["zooms"]))
        for name in ("n_tiles", "n_contents", "n_empty", "n_resumed"):
            if archive[name] or name == "n_tiles":
                table.add_row(words[name], f"{archive[name]:,}")
        table.add_row(words["n_bytes"], f"{archive['n_bytes'] / 1e6:,.1f} MB")
        console.print(table)
        thinned += [words["of"].format(**one) for one in archive["thinned"]]
    notes = [note[language] for note in said["notes"]]
    notes += [
        words["left_out"].format(name, why[language]) for name, why in said["left_out"].items()
    ]
    if thinned:
        notes += [f"{words['thinned']}: {line}" for line in thinned]
    endings.show(
        console,
        notes=notes,
        files=[archive["file"] for archive in said["archives"]],
        language=language,
    )


def _archive(layers: tuple[str, ...], written: Written) -> dict[str, Any]:
    return {
        "file": written.path.name,
        "layers": list(layers),
        "zooms": list(written.zooms),
        "n_tiles": written.n_tiles,
        "n_contents": written.n_contents,
        "n_empty": written.n_empty,
        "n_resumed": written.n_resumed,
        "n_bytes": written.n_bytes,
        "thinned": [_thinned(one) for one in written.thinned],
    }


def _thinned(one: Thinned) -> dict[str, Any]:
    return {
        "layer": one.layer, "zoom": one.zoom, "how": one.how, "tiles": one.tiles, "of": one.of, "shown": one.shown,
    }  # fmt: skip
