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

"""Which line of a config file has the last word about the hub."""

import pytest

from oslo_asyncio import _choice

FILES = [
    ("", None),
    ("[DEFAULT]\nhub = a\n", None),
    ("[oslo_asyncio]\nhub = a\n", 2),
    ("\n# hub\n[oslo_asyncio]\n\nhub = a\nworkers = 1\n", 5),
    ("[oslo_asyncio]\nhub = a\nhub = b\n", 3),
    ("[oslo_asyncio]\nhub = a\n# hub = b\n; hub = c\n#hub = d\n", 2),
    ("[oslo_asyncio]\nhub: a\n", 2),
    ("[oslo_asyncio]\nhub =\n  a\n[other]\nhub = b\n", 2),
    ("[oslo_asyncio]\nresolver = a\n  hub = b\n", None),
    ("[oslo_asyncio]\nhub_x = a\nx_hub = b\nHub = c\n", None),
    ("[oslo_asyncio]\nhub = a\n[other]\nhub = b\n[oslo_asyncio]\nhub = c\n", 6),
    ("[oslo_asyncio]\nhub = a\nthis is no assignment\nhub = b\n", 2),
]


@pytest.mark.parametrize(("text", "number"), FILES)
def test_it_is_the_last_assignment_in_our_section(text, number):
    assert _choice.line(text.splitlines(keepends=True)) == number


@pytest.mark.parametrize("text", [text for text, number in FILES if number])
def test_oslo_config_reads_that_line_as_well(text, tmp_path, monkeypatch):
    monkeypatch.delenv(_choice.ENVIRONMENT, raising=False)
    if "no assignment" in text:
        return  # which it refuses
    path = tmp_path / "a.conf"
    path.write_text(text)
    conf = _choice.read(None, ["--config-file", str(path)])
    lines = text.splitlines()
    number = _choice.line(lines)
    value = lines[number - 1].replace(":", "=").partition("=")[2].strip()
    assert _choice.name(conf).strip() == (value or lines[number].strip())
    assert _choice.place(conf) == f"{path} line {number}"


def test_a_section_in_capitals_counts_and_hides_its_file(tmp_path, monkeypatch):
    monkeypatch.delenv(_choice.ENVIRONMENT, raising=False)
    path = tmp_path / "a.conf"
    path.write_text("[OSLO_ASYNCIO]\nhub = a\n")
    conf = _choice.read(None, ["--config-file", str(path)])
    assert (_choice.name(conf), _choice.place(conf)) == ("a", "the config files")


def test_a_file_that_has_gone_since_is_named_without_a_line(tmp_path, monkeypatch):
    monkeypatch.delenv(_choice.ENVIRONMENT, raising=False)
    path = tmp_path / "a.conf"
    path.write_text("[oslo_asyncio]\nhub = a\n")
    conf = _choice.read(None, ["--config-file", str(path)])
    path.unlink()
    assert _choice.place(conf) == str(path)
    assert _choice.source(conf) == f"[oslo_asyncio] hub in {path}"
