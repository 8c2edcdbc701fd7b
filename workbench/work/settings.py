"""Settings: frozen dataclasses whose fields say all there is to say about them.

A field carries its label, its sentence, its unit, its choices, whether it is for few, and how it is
written on a command line. From that alone come the page's form, the command's options, the command
that does the same, the YAML file, the record in JSON and the table in the docs, so that a field is
described once and is there everywhere.
"""

import math
import types
from collections.abc import Callable, Iterable, Mapping
from dataclasses import MISSING, dataclass, field, fields
from functools import cache
from pathlib import Path
from typing import Any, Literal, Self, Union, get_args, get_origin, get_type_hints

from workbench.errors import SettingsError

__all__ = ["Setting", "SettingsRecord", "is_number", "is_whole", "setting", "settings_of"]


def setting(
    default: Any,
    sentence: str,
    *,
    label: str = "",
    unit: str = "",
    option: str = "",
    metavar: str = "",
    advanced: bool = False,
    empty: str = "automatic",
    positional: bool = False,
    parse: Callable[[str], Any] | None = None,
    write: Callable[[Any], str] | None = None,
    lines: int = 1,
) -> Any:
    """A dataclass field with all that is told of it.

    Args:
        default: its value when nobody says anything.
        sentence: what it does, in one sentence.
        label: what the page calls it; empty: its name with a capital.
        unit: what its numbers count, such as ``facts``.
        option: how a command line calls it; empty: its name with dashes.
        metavar: what stands for its value in a command's help.
        advanced: whether few people need it.
        empty: what is shown where nothing is written.
        positional: whether a command line gives it as a word of its own, before all others.
        parse: reads the one text in which people write it, where it has a form of its own.
        write: the inverse of `parse`.
        lines: how many lines its field shows; a `write` of several writes one value a line.
    """
    told = {
        "help": sentence,
        "label": label,
        "unit": unit,
        "option": option,
        "metavar": metavar,
        "advanced": advanced,
        "empty": empty,
        "positional": positional,
        "parse": parse,
        "write": write,
        "lines": lines,
    }
    return field(default=default, metadata=told)


@dataclass(frozen=True, slots=True)
class Setting:
    """One field of some settings, as a form, a command and a table need it.

    Args:
        name: of the field.
        kind: what one value is: bool, int, float, or str.
        many: whether it holds several values.
        optional: whether it may be None.
        default: its default.
        choices: the only values it may have; empty for any.
        label, sentence, unit, option, metavar, advanced, empty: see `setting`.
        own_parse, own_write, lines: see `setting`.
    """

    name: str
    kind: type
    many: bool
    optional: bool
    default: Any
    choices: tuple[str, ...]
    label: str
    sentence: str
    unit: str
    option: str
    metavar: str
    advanced: bool
    empty: str
    positional: bool = False
    own_parse: Callable[[str], Any] | None = None
    own_write: Callable[[Any], str] | None = None
    lines: int = 1

    @property
    def is_flag(self) -> bool:
        """Whether it is on or off."""
        return self.kind is bool and not self.many

    def parse(self, text: str) -> Any:
        """A value from the text in which people write it; several stand between commas.

        Raises:
            SettingsError: it is none.
        """
        text = text.strip()
        if not text:
            return self.default
        if self.own_parse is not None:
            return self.own_parse(text)
        if self.many:
            return tuple(self.parse_one(part) for part in text.split(",") if part.strip())
        return self.parse_one(text)

    def parse_one(self, text: str) -> Any:
        """One value from a text.

        Raises:
            SettingsError: it is none.
        """
        text = text.strip()
        if self.choices and text not in self.choices:
            raise SettingsError(
                f"{self.name} is {text!r}; choose one of {', '.join(self.choices)}."
            )
        if self.is_flag:
            return text.lower() in ("1", "true", "yes", "on")
        try:
            return self.kind(text)
        except ValueError:
            word = "a number" if self.kind is float else "a whole number"
            raise SettingsError(
                f"{self.label} is '{text}'; write {word}, or leave it empty."
            ) from None

    def write(self, value: Any) -> str:
        """The inverse of `parse`; empty for the default of a setting that may be empty."""
        if value is None or value == ():
            return ""
        if self.own_write is not None:
            return self.own_write(value)
        if self.many:
            return ", ".join(map(_written, value))
        return _written(value)

    def words(self, value: Any) -> list[str]:
        """The words of a command line that give it this value; none for its default."""
        if value == self.default:
            return []
        if self.is_flag:
            return [self.option if value else f"--no-{self.option.removeprefix('--')}"]
        if self.lines > 1:
            return [self.option, self.write(value).replace("\n", "; ")]
        if self.own_parse is not None:
            return [self.option, self.write(value).replace(", ", ",")]
        if self.many:
            return [word for part in value for word in (self.option, _written(part))]
        return [self.option, _written(value)]


def _written(value: Any) -> str:
    """A number or text so that it reads back equal."""
    if isinstance(value, float):
        short = f"{value:g}"
        return short if float(short) == value else repr(value)
    return str(value)


def settings_of(kind: Any) -> tuple[Setting, ...]:
    """The fields of a settings class, in their order."""
    return _settings_of(kind)


@cache
def _settings_of(kind: Any) -> tuple[Setting, ...]:
    hints = get_type_hints(kind)
    return tuple(_setting(found, hints[found.name]) for found in fields(kind))


def _setting(found: Any, hint: Any) -> Setting:
    told = found.metadata
    optional = False
    if get_origin(hint) in (Union, types.UnionType):
        inner = [part for part in get_args(hint) if part is not type(None)]
        optional, hint = True, inner[0]
    many = get_origin(hint) is tuple
    if many:
        hint = get_args(hint)[0]
    choices: tuple[str, ...] = ()
    if get_origin(hint) is Literal:
        choices, hint = get_args(hint), str
    return Setting(
        name=found.name,
        kind=Path if hint is Path else hint,
        many=many,
        optional=optional,
        default=None if found.default is MISSING else found.default,
        choices=choices,
        label=told.get("label") or found.name.replace("_", " ").capitalize(),
        sentence=told["help"],
        unit=told.get("unit", ""),
        option=told.get("option") or "--" + found.name.replace("_", "-"),
        metavar=told.get("metavar", ""),
        advanced=told.get("advanced", False),
        empty=told.get("empty", "automatic"),
        positional=told.get("positional", False),
        own_parse=told.get("parse"),
        own_write=told.get("write"),
        lines=told.get("lines", 1),
    )


def is_whole(value: object, least: int) -> bool:
    """Whether a value is a whole number, `least` or more."""
    return isinstance(value, int) and not isinstance(value, bool) and value >= least


def is_number(value: object) -> bool:
    """Whether a value is a finite number."""
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


class SettingsRecord:
    """The base of the settings' frozen dataclasses, whose fields are made by `setting`."""

    __slots__ = ()

    def as_dict(self) -> dict[str, Any]:
        """The settings as JSON-ready data, in the order of the fields."""
        values = ((found.name, getattr(self, found.name)) for found in settings_of(type(self)))
        return {name: list(v) if isinstance(v, tuple) else v for name, v in values}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """The inverse of `as_dict`.

        Raises:
            SettingsError: an unknown name, or a value that makes no sense.
        """
        known = set(cls.help())
        unknown = sorted(set(map(str, data)) - known)
        if unknown:
            raise SettingsError(
                f"Unknown setting {', '.join(unknown)}. Known: {', '.join(sorted(known))}."
            )
        return cls(**{k: tuple(v) if isinstance(v, list) else v for k, v in data.items()})

    @classmethod
    def from_texts(cls, texts: Mapping[str, str | bool | None]) -> Self:
        """Settings as they stand in the fields of a form.

        Args:
            texts: what stands in each field, by name; one that is missing or empty has its default.

        Raises:
            SettingsError: one of them makes no sense; the message begins with its label.
        """
        values: dict[str, Any] = {}
        for found in settings_of(cls):
            given = texts.get(found.name)
            if found.is_flag:
                values[found.name] = bool(given)
            else:
                values[found.name] = found.parse(str(given or ""))
        return cls(**values)

    @classmethod
    def help(cls) -> dict[str, str]:
        """The one-sentence explanation of every setting, by name."""
        return {found.name: found.sentence for found in settings_of(cls)}

    def words(self, leave_out: Iterable[str] = ()) -> list[str]:
        """The words of a command line that give these settings; what has its default is left out.

        Args:
            leave_out: names of settings that are written elsewhere.
        """
        left = set(leave_out)
        return [
            word
            for found in settings_of(type(self))
            if found.name not in left and not found.positional
            for word in found.words(getattr(self, found.name))
        ]

    def to_yaml(self) -> str:
        """The settings as a YAML file, each with its sentence."""
        import yaml

        lines = []
        data = self.as_dict()
        for found in settings_of(type(self)):
            lines.append(f"# {found.sentence}")
            one = {found.name: data[found.name]}
            lines.append(yaml.safe_dump(one, default_flow_style=False, allow_unicode=True).strip())
        return "\n".join(lines) + "\n"

    @classmethod
    def from_yaml(cls, path: Path) -> Self:
        """Reads what `to_yaml` wrote.

        Raises:
            SettingsError: the file cannot be read, or a setting in it makes no sense.
        """
        import yaml

        try:
            data = yaml.safe_load(path.read_text(encoding="utf-8"))
        except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
            reason = str(error).splitlines()[0]
            raise SettingsError(f"The settings '{path}' cannot be read: {reason}.") from error
        if not isinstance(data, dict):
            raise SettingsError(f"'{path}' holds no settings. Write lines such as 'passes: 25'.")
        numbers = {found.name: found for found in settings_of(cls) if found.kind is float}
        for name in numbers.keys() & data.keys():
            value = data[name]
            data[name] = [_number(v) for v in value] if isinstance(value, list) else _number(value)
        return cls.from_dict(data)

    def _require_whole(self, *names: str, least: int, optional: bool = False) -> None:
        """Makes sure that settings are whole numbers, or None where they are optional.

        Raises:
            SettingsError: one is not.
        """
        for name in names:
            value = getattr(self, name)
            if not (is_whole(value, least) or (optional and value is None)):
                or_empty = ", or empty for automatic" if optional else ""
                raise SettingsError(
                    f"{name} is {value!r}; it must be a whole number, {least} or more{or_empty}."
                )

    def _require_number(self, *names: str, or_zero: bool = False, optional: bool = False) -> None:
        """Makes sure that settings are numbers above 0, or 0 where that may be.

        Raises:
            SettingsError: one is not.
        """
        for name in names:
            value = getattr(self, name)
            if optional and value is None:
                continue
            if not is_number(value) or value < 0 or (value == 0 and not or_zero):
                least = ", 0 or more" if or_zero else " above 0"
                or_empty = ", or empty for automatic" if optional else ""
                raise SettingsError(f"{name} is {value!r}; it must be a number{least}{or_empty}.")


def _number(value: object) -> object:
    """A number that YAML took for a text, such as 1e-3; anything else as it is."""
    try:
        return float(value) if isinstance(value, str) else value
    except ValueError:
        return value
