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

"""What the rounds have found, for people."""

import statistics


def line(contender, row):
    """One round."""
    return (
        f"{contender:<10}{row['seconds']:6.2f} s   CPU {row['cpu']:5.2f} s"
        f"   threads {_named(row['ours'])}; the driver's {_named(row['driver'])}"
        + (f"   client {_client(row)}" if "client cpu" in row else "")
    )


def summary(rows, baseline):
    """Medians with the least and the most, beside those of ``baseline``."""
    of = {name: _seconds(found) for name, found in rows.items()}
    base = statistics.median(of[baseline]) if baseline in of else None
    head = f"\n  {'':<10}{'seconds':>18}{'of ' + baseline:>12}{'CPU s':>8}"
    lines = [head + f"{'client':>8}{'threads':>9}{'driver':>8}"]
    for name, found in rows.items():
        median = statistics.median(of[name])
        spread = f"{median:.2f} ({min(of[name]):.2f}-{max(of[name]):.2f})"
        share = f"{median / base:.0%}" if base else "-"
        lines.append(
            f"  {name:<10}{spread:>18}{share:>12}{_median(found, 'cpu'):>8}"
            f"{_median(found, 'client cpu'):>8}{_most(found, 'ours'):>9}"
            f"{_most(found, 'driver'):>8}"
        )
    return "\n".join(lines)


def _seconds(found):
    return [row["seconds"] for row in found]


def _median(found, name):
    values = [row[name] for row in found if name in row]
    return f"{statistics.median(values):.2f}" if values else "-"


def _most(found, name):
    return max(sum(row[name].values()) for row in found)


def _client(row):
    return f"CPU {row['client cpu']:.2f} s, {_named(row['client threads'])}"


def _named(threads):
    return " ".join(f"{name}:{count}" for name, count in sorted(threads.items()))
