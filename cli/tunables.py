"""Options made from the settings: one for each tunable, with its default and its one line of help.

A command decorated with `with_tunables` gets a `settings` argument: the defaults, overlaid by
`--config`, overlaid by the options that were given.
"""

import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields, is_dataclass, replace
from functools import wraps
from pathlib import Path
from typing import Annotated, Any, get_origin, get_type_hints

import typer

from motifcnn import settings as library
from motifcnn.errors import MotifcnnError
from motifcnn.settings import Settings

_PANELS = {
    "": "Run",
    "input": "Input",
    "channels": "Channels from alignments",
    "split": "Training, validation and held-out sets",
    "cross_validation": "Cross-validation",
    "model": "Network",
    "training": "Training",
    "motifs": "Motifs",
    "scan": "Scanning",
}


def with_tunables(
    *sections: str, without: Sequence[str] = (), help_of: Mapping[str, str] | None = None
) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Give a command an option for every setting of these sections.

    Args:
        *sections: Their names; "" for the general ones.
        without: Settings that get none.
        help_of: Help of settings that mean something else to this command.
    """

    def decorate(command: Callable[..., None]) -> Callable[..., None]:
        tunables = {
            name: (section, name) for section in sections for name in _settings_of(section) if name not in without
        }

        @wraps(command)
        def run(*, config: Path | None, **values: Any) -> None:
            given = {name: values.pop(name) for name in tunables}
            settings = library.from_toml(config) if config is not None else Settings()
            command(settings=_overlaid(settings, tunables, given), **values)

        own = [
            p.replace(kind=inspect.Parameter.KEYWORD_ONLY)
            for p in inspect.signature(command).parameters.values()
            if p.name != "settings"
        ]
        options = [_parameter(*tunable, (help_of or {}).get(name)) for name, tunable in tunables.items()]
        parameters = [*own, _config_parameter(), *options]
        run.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
        run.__annotations__ = {p.name: p.annotation for p in parameters}
        return run

    return decorate


def _section_type(section: str) -> type:
    return Settings if not section else type(getattr(Settings(), section))


def _settings_of(section: str) -> list[str]:
    kind = _section_type(section)
    hints = get_type_hints(kind)
    return [f.name for f in fields(kind) if not is_dataclass(hints[f.name])]


def _config_parameter() -> inspect.Parameter:
    option = typer.Option(
        "--config", help="TOML file of settings, such as a run's settings.toml.", rich_help_panel=_PANELS[""]
    )
    return inspect.Parameter(
        "config", inspect.Parameter.KEYWORD_ONLY, default=None, annotation=Annotated[Path | None, option]
    )


def _parameter(section: str, name: str, other_help: str | None) -> inspect.Parameter:
    kind = _section_type(section)
    hint, default = get_type_hints(kind)[name], getattr(kind(), name)
    listed = get_origin(hint) is tuple
    shown = ("all" if name == "targets" else "none") if listed else str(default)
    flag = f"--{name.replace('_', '-')}"
    option = typer.Option(
        f"{flag}/--no-{flag[2:]}" if hint is bool else flag,
        help=(other_help or library.help_text(kind, name)) + (" Separated by commas." if listed else ""),
        show_default=("on" if default else "off") if hint is bool else shown,
        rich_help_panel=_PANELS[section],
        metavar="NAME,NAME" if listed else None,
    )
    annotation = Annotated[(str if listed else hint) | None, option]  # type: ignore[valid-type]
    return inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=annotation)


def _overlaid(settings: Settings, tunables: dict[str, tuple[str, str]], given: dict[str, Any]) -> Settings:
    for option, (section, name) in tunables.items():
        value = given[option]
        if value is None:
            continue
        part: Any = getattr(settings, section) if section else settings
        if isinstance(getattr(part, name), tuple):
            value = tuple(item.strip() for item in value.split(",") if item.strip())
        changed: Any = replace(part, **{name: value})
        whole: dict[str, Any] = {section: changed}
        settings = replace(settings, **whole) if section else changed
    problem = library.first_problem(settings)
    if problem:
        raise MotifcnnError(problem)
    return settings
