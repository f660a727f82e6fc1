# Licensed under the Apache License, Version 2.0 (the "License"); you may
# not use this file except in compliance with the License. You may obtain
# a copy of the License at
#
#     http://www.apache.org/licenses/LICENSE-2.0
#
# Unless required by applicable law or agreed to in writing, software
# distributed under the License is distributed on an "AS IS" BASIS, WITHOUT
# WARRANTIES OR CONDITIONS OF ANY KIND, either express or implied. See the
# License for the specific language governing permissions and limitations
# under the License.


"""What one package does not offer as the other one does."""

from collections.abc import Iterable
from collections.abc import Iterator
import dataclasses
from typing import Any

Entry = dict[str, Any]
Surface = dict[str, dict[str, Entry]]


@dataclasses.dataclass(frozen=True, order=True)
class Difference:
    """One of them.

    :ivar module: without the name of the package.
    :ivar name: with the name of its class.
    :ivar text: what is different, in a few words.
    """

    module: str
    name: str
    text: str

    def __str__(self) -> str:
        return f"{self.module}: {self.name}: {self.text}"


def from_both(backends: dict[str, Surface], ours: Surface) -> set[Difference]:
    """Differences from each backend, marked where the others do not have them."""
    each = {
        name: set(without_repetition(differences(theirs, ours), theirs))
        for name, theirs in backends.items()
    }
    everywhere = set.intersection(*each.values())
    marked = {
        dataclasses.replace(found, text=f"{found.text} ({name})")
        for name, those in each.items()
        for found in those - everywhere
    }
    return everywhere | marked


def differences(theirs: Surface, ours: Surface) -> Iterator[Difference]:
    for module, entries in theirs.items():
        if module not in ours:
            yield Difference(module, "", "missing")
            continue
        for name, entry in entries.items():
            owner = name.partition(".")[0]
            if owner != name and owner not in ours[module]:
                continue  # said of its class
            for text in of_entry(entry, ours[module].get(name)):
                yield Difference(module, name, text)


def without_repetition(
    found: Iterable[Difference], theirs: Surface
) -> Iterator[Difference]:
    """Say of a base what it has in common with its subclasses."""
    known = set(found)
    for each in known:
        owner, _, member = each.name.partition(".")
        bases = theirs[each.module].get(owner, {}).get("bases", ()) if member else ()
        above = {dataclasses.replace(each, name=f"{base}.{member}") for base in bases}
        if not above & known:
            yield each


def of_entry(theirs: Entry, ours: Entry | None) -> Iterator[str]:
    if ours is None:
        yield "missing"
        return
    if ours["kind"] != theirs["kind"]:
        yield f"{ours['kind']} instead of {theirs['kind']}"
        return
    if ours.get("value") != theirs.get("value"):
        yield f"{ours.get('value')} instead of {theirs.get('value')}"
    for base in theirs.get("bases", ()):
        if base not in ours["bases"]:
            yield f"no subclass of {base}"
    if ours.get("async") and not theirs["async"]:
        yield "async"
    if theirs.get("parameters") is not None and ours.get("parameters") is not None:
        yield from of_parameters(theirs["parameters"], ours["parameters"])


def of_parameters(theirs: list[list[Any]], ours: list[list[Any]]) -> Iterator[str]:
    """Why a call that fits theirs might not fit ours."""
    own = {name: (kind, default) for name, kind, default in ours}
    places = [name for name, kind, _ in ours if kind in ("positional", "either")]
    known = {name for name, _, _ in theirs}
    for place, (name, kind, default) in enumerate(theirs):
        if kind in ("*", "**"):
            if kind not in {each for each, _ in own.values()}:
                yield f"no {kind}{name}"
        elif name in own and own[name][0] not in ("*", "**"):
            yield from of_default(name, default, own[name][1])
            if own[name][0] == "positional":
                yield f"{name} has no name"
            elif kind == "either" and own[name][0] == "keyword":
                yield f"{name} is keyword-only"
            elif kind == "either" and places.index(name) != place:
                yield f"{name} has another place"
        elif places[place:] and places[place] not in known:
            yield f"{places[place]} instead of {name}"
            known.add(places[place])
        else:
            yield f"no parameter {name}"
    yield from of_additions(theirs, [each for each in ours if each[0] not in known])


def of_default(name: str, theirs: str | None, ours: str | None) -> Iterator[str]:
    if theirs is None:
        return
    if ours is None:
        yield f"{name} is required"
    elif ours != theirs:
        yield f"{name}={ours} instead of {theirs}"


def of_additions(theirs: list[list[Any]], added: list[list[Any]]) -> Iterator[str]:
    """Parameters of ours alone must not take what was meant for others."""
    kinds = {kind for _, kind, _ in theirs}
    for name, kind, default in added:
        if kind in ("*", "**"):
            continue
        if default is None:
            yield f"{name} is required"
        elif "**" in kinds or ("*" in kinds and kind != "keyword"):
            yield f"{name} is an argument of its own"
