r"""The variables of a prompt: where they stand in a text, and what is put there.

::

    Review this {{language=SQL}}: {{code}}        two variables, one with a default
    Write \{{name}} where the name goes           none: without its backslash when it is rendered

A name starts with a letter or ``_`` and goes on with letters and their marks, digits and ``_``;
it is at most 64 characters, compared in NFC, and ``A`` is not ``a``. Spaces around it are nothing.
A default is up to 1,000 characters without braces, trimmed, and may be empty. Everything else in
double braces is text: published prompts hold LaTeX, Jinja and Go templates. A backslash that is
to stand in front of a value is the value, or the default, of a variable of its own.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Final

import attrs

from dal.errors import ValueRejectedError, VariablesError
from dal.records.text import MAX_PROMPT_BYTES, free_text, utf8_bytes

__all__ = [
    "MAX_DEFAULT_CHARS",
    "MAX_VARIABLES",
    "RenderedPrompt",
    "Variable",
    "find_variables",
    "render",
    "render_prompt",
    "variables_from_json",
    "variables_json",
]

MAX_VARIABLES = 200
"""The most variables of one version, in its two texts together."""

MAX_DEFAULT_CHARS = 1_000
"""The longest default, before it is trimmed; what is longer is text."""

_MAX_NAME_CHARS: Final = 64
# Possessive, and without a brace inside: no character is looked at more than twice, also in
# 16 MiB of braces. What stands where a name may is taken here, before it is composed, and judged
# by _name; nothing in it can be the start of a variable.
_PLACE: Final = re.compile(
    r"(?P<escape>\\)?+\{\{[ \t]*+(?P<name>[^\s{}=]{1,256}+)[ \t]*+"
    rf"(?:=(?P<default>[^{{}}]{{0,{MAX_DEFAULT_CHARS}}}+))?+\}}\}}"
)


@attrs.frozen(slots=True)
class Variable:
    """A variable: its name, and what stands for it where no value is given; None: one must be."""

    name: str
    default: str | None


@attrs.frozen(slots=True)
class RenderedPrompt:
    """The two texts of a version with every variable replaced."""

    content: str
    system_prompt: str | None


@lru_cache(maxsize=1024)
def _name(written: str) -> str | None:
    """The name in its one form, or None where this is none."""
    name = unicodedata.normalize("NFC", written)
    if len(name) > _MAX_NAME_CHARS or not (name[0].isalpha() or name[0] == "_"):
        return None
    return name if all(map(_goes_on, name)) else None


def _goes_on(char: str) -> bool:
    # Words of many scripts cannot be written without marks: those of vowels, of tones.
    return char == "_" or unicodedata.category(char)[0] in "LM" or char.isdecimal()


def _places(text: str) -> Iterator[tuple[re.Match[str], str]]:
    """Where a variable stands, or would stand without the backslash, and its name."""
    for match in _PLACE.finditer(text):
        name = _name(match["name"])
        if name is not None:
            yield match, name


def find_variables(*texts: str | None) -> tuple[Variable, ...]:
    """The variables of a version, in the order in which they first stand in its texts.

    The first default that any of its places gives is the variable's, also where it stands first
    without one.

    Args:
        texts: the content, then the system prompt.

    Raises:
        ValueRejectedError: more than 200; the field is ``content``.
    """
    found: dict[str, str | None] = {}
    for text in texts:
        for place, name in _places(text or ""):
            if place["escape"]:
                continue
            if found.get(name) is None:
                default = place["default"]
                found[name] = None if default is None else default.strip()
            if len(found) > MAX_VARIABLES:
                raise ValueRejectedError(
                    f"content: at most {MAX_VARIABLES} variables", field="content"
                )
    return tuple(Variable(name, default) for name, default in found.items())


def render(text: str, values: Mapping[str, str]) -> str:
    """One text with each variable replaced by its value, or else by its default.

    A value is put in as it is: what looks like a variable in it is text.

    Raises:
        VariablesError: values are missing, or there are some for which there is no variable.
        ValueRejectedError: a value is no text, or the result is longer than a prompt may be; the
            field is ``values``.
    """
    return _filled(text, _fillings(find_variables(text), values))


def render_prompt(
    content: str, system_prompt: str | None, values: Mapping[str, str]
) -> RenderedPrompt:
    """Both texts of a version with each variable replaced; a value is for both of them.

    Raises:
        VariablesError: values are missing, or there are some for which there is no variable.
        ValueRejectedError: a value is no text, or one of the two results is longer than a prompt
            may be; the field is ``values``.
    """
    fillings = _fillings(find_variables(content, system_prompt), values)
    return RenderedPrompt(
        _filled(content, fillings),
        None if system_prompt is None else _filled(system_prompt, fillings),
    )


def _refused(why: str) -> ValueRejectedError:
    return ValueRejectedError(f"values: {why}", field="values")


def _fillings(variables: Iterable[Variable], values: object) -> dict[str, str]:
    """What stands for each variable, by its name."""
    if not isinstance(values, Mapping):
        raise _refused("a mapping of names to texts is required")
    given: dict[str, object] = {}
    for key, value in values.items():
        name = unicodedata.normalize("NFC", free_text("values", key))
        if name in given:
            raise _refused("the same name twice, composed and decomposed")
        given[name] = value
    fillings: dict[str, str] = {}
    missing = []
    for variable in variables:
        if variable.name in given:
            fillings[variable.name] = _value(variable.name, given[variable.name])
        elif variable.default is not None:
            fillings[variable.name] = variable.default
        else:
            missing.append(variable.name)
    unknown = [name for name in given if name not in fillings]
    if missing or unknown:
        said = "; ".join(
            f"{what}: {_some(names)}"
            for what, names in (("missing", missing), ("unknown", unknown))
            if names
        )
        raise VariablesError(f"values: {said}", missing=tuple(missing), unknown=tuple(unknown))
    return fillings


def _some(names: Sequence[str]) -> str:
    """A few names in short: those that are unknown may be any texts, and any number of them."""
    shown = ", ".join(ascii(name[:_MAX_NAME_CHARS]) for name in names[:10])
    return f"{shown} and {len(names) - 10} more" if len(names) > 10 else shown


def _value(name: str, value: object) -> str:
    if not isinstance(value, str):
        raise _refused(f"{name}: text is required")
    if utf8_bytes(value) is None:
        raise _refused(f"{name}: holds a lone surrogate, which is not text")
    # An enum's member or any other kind of str is its characters, whatever it prints as.
    return str.__str__(value)


def _filled(text: str, fillings: Mapping[str, str]) -> str:
    """One pass over the text: what was put in is not looked at."""
    pieces: list[str] = []
    size = done = 0
    for place, name in _places(text):
        before = text[done : place.start()]
        put = place[0][1:] if place["escape"] else fillings[name]
        size += len(before) + len(put)
        # A short text that names one variable a million times is not written out first.
        if size > MAX_PROMPT_BYTES:
            raise _too_long()
        pieces += (before, put)
        done = place.end()
    filled = "".join([*pieces, text[done:]])
    if len(filled.encode()) > MAX_PROMPT_BYTES:
        raise _too_long()
    return filled


def _too_long() -> ValueRejectedError:
    return _refused(f"the rendered text is too long: at most {MAX_PROMPT_BYTES} bytes of UTF-8")


def variables_json(variables: Iterable[Variable]) -> list[dict[str, str | None]]:
    """The variables as their JSON column has them."""
    return [{"name": variable.name, "default": variable.default} for variable in variables]


def variables_from_json(value: object) -> tuple[Variable, ...]:
    """The variables that a JSON column has; who decodes it says which column of which row.

    Raises:
        ValueError: it is not what :func:`variables_json` writes.
    """
    if not isinstance(value, list):
        raise ValueError("not a list")
    return tuple(_variable(item) for item in value)


def _variable(item: object) -> Variable:
    if isinstance(item, dict) and item.keys() == {"name", "default"}:
        name, default = item["name"], item["default"]
        if isinstance(name, str) and (default is None or isinstance(default, str)):
            return Variable(name, default)
    raise ValueError("not a name and a default, and nothing else")
