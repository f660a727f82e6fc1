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

"""The benchmark's statistics and its regression job; the peers are not needed."""

import pathlib
import sys

import pytest

ROOT = pathlib.Path(__file__).parents[3]

if not (ROOT / "bench/__main__.py").exists():
    pytest.skip(
        "the benchmark is not installed with the package", allow_module_level=True
    )

sys.path.insert(0, str(ROOT))  # it is no part of the package
try:
    from bench import compare
    from bench import figures
    from bench import page
    from bench import plot
    from bench import processes
    from bench import results
    from bench import rounds
    from bench import rows
    from bench import tables
    from bench import worker
finally:
    sys.path.remove(str(ROOT))

COST = rows.Row("start", "all ready", "ms", "ready", "bare", 1.5)
RATE = rows.Row("echo", "TCP echo", "k/s", "rate", "bare", 0.85, more=True)
ABSOLUTE = rows.Row("late", "late", "ms", "late", "bare", most=1.5)
COUNT = rows.Row("lost", "failed", "", "lost", "bare", most=0, floor=2)
OURS = "ours asyncio"


def run_of(row, ours, limit, **peers):
    """A run that has measured one row."""
    values = {OURS: {row.measure: ours}, "bare": {row.measure: limit}}
    values |= {name: {row.measure: own} for name, own in peers.items()}
    found = results.Run(quick=True)
    found.add("Processes", row, peers, values)
    return found


def result_of(*args, **kwargs):
    [found] = run_of(*args, **kwargs).all()
    return found


class TestFigures:
    def test_a_spread_is_the_median_between_the_least_and_the_most(self):
        assert figures.spread([9.0, 1.0, 2.0, 4.0]) == figures.Spread(3.0, 1.0, 9.0, 4)

    def test_a_percentile_is_one_of_the_values(self):
        assert figures.percentile([*range(1, 101)], 0.99) == 99
        assert figures.percentile([5.0], 0.99) == 5.0

    def test_each_round_has_its_own_ratio(self):
        assert figures.ratios([2.0, 40.0], [1.0, 20.0]) == [2.0, 2.0]

    def test_what_is_below_the_floor_is_no_difference(self):
        assert figures.ratios([0.4, 0.0], [0.1, 0.0], floor=0.5) == [1.0, 1.0]


class TestResults:
    def test_a_round_that_is_slow_for_all_does_not_change_the_ratio(self):
        found = result_of(COST, [12.0, 120.0, 12.0], [10.0, 100.0, 10.0])
        assert (found.ratio, found.low, found.high) == pytest.approx((1.2,) * 3)

    @pytest.mark.parametrize(
        ("row", "ours", "limit", "met"),
        [
            (COST, 14.0, 10.0, True),
            (COST, 16.0, 10.0, False),
            (RATE, 9.0, 10.0, True),
            (RATE, 8.0, 10.0, False),
            (COUNT, 0.0, 1.0, True),
            (COUNT, 1.0, 1.0, False),
        ],
    )
    def test_a_target_is_for_costs_and_rates_and_counts(self, row, ours, limit, met):
        assert result_of(row, [ours], [limit]).met is met

    def test_a_row_without_values_is_missing(self):
        found = run_of(COST, [], [10.0])
        assert found.missing == ["all ready"]
        assert not [*found.all()]

    def test_a_row_that_is_measured_again_takes_the_place_of_the_old_one(self):
        run = run_of(COST, [30.0], [10.0])
        values = {OURS: {"ready": [12.0]}, "bare": {"ready": [10.0]}}
        run.add("Processes", COST, (), values)
        [found] = run.all()
        assert found.ratio == pytest.approx(1.2)

    def test_a_file_holds_all_of_a_run(self, tmp_path):
        found = run_of(COST, [12.0, 13.0], [10.0, 11.0], cotyledon=[50.0, 60.0])
        found.save(tmp_path / "run.json")
        assert results.load(tmp_path / "run.json") == found


class TestRounds:
    def test_each_round_plays_all_in_an_order_of_its_own(self, monkeypatch):
        orders = []

        class Scenario:
            @staticmethod
            def play_all(order, workers):
                orders.append(order)
                return {name: {"ready": float(workers)} for name in order}

        monkeypatch.setitem(sys.modules, "bench.scenarios.scripted", Scenario)
        job = rows.Job(
            "job", "scripted", (COST,), {"workers": 9}, {"workers": 2}, ("x", "y"), 20
        )
        found = rounds.play(job, quick=False, say=lambda _line: None)
        assert found == {name: {"ready": [9.0] * 20} for name in ("bare", OURS, *"xy")}
        assert len({tuple(order) for order in orders}) > 1

    def test_who_cannot_play_is_named_and_left_out(self, monkeypatch):
        class Scenario:
            @staticmethod
            def play(contender):
                if contender == "bare":
                    raise rounds.NotPlayed("it does not stop")
                return {"ready": 1.0}

        monkeypatch.setitem(sys.modules, "bench.scenarios.scripted", Scenario)
        said = []
        job = rows.Job("job", "scripted", (COST,), rounds=1)
        found = rounds.play(job, quick=False, say=said.append)
        assert found == {"bare": {}, OURS: {"ready": [1.0]}}
        assert "  bare: it does not stop" in said

    def test_a_quick_run_is_without_the_peers(self):
        job = rows.Job("job", "scripted", (COST,), peers=("cotyledon",))
        assert job.contenders(quick=True) == ["bare", OURS]
        assert job.contenders(quick=False) == ["bare", OURS, "cotyledon"]


class TestCompare:
    def compared(self, old, new, tmp_path, capsys):
        for name, run in (("old", old), ("new", new)):
            run.save(tmp_path / name)
        status = compare.main([str(tmp_path / "old"), str(tmp_path / "new")])
        return status, capsys.readouterr().out

    def test_a_slower_machine_is_no_regression(self, tmp_path, capsys):
        old = run_of(COST, [12.0], [10.0])
        new = run_of(COST, [120.0], [100.0])
        status, said = self.compared(old, new, tmp_path, capsys)
        assert (status, said) == (0, "none of 1 ratios has fallen by more than half\n")

    @pytest.mark.parametrize(
        ("row", "before", "after", "status"),
        [
            (COST, 12.0, 23.0, 0),
            (COST, 12.0, 25.0, 1),
            (RATE, 9.0, 4.6, 0),
            (RATE, 9.0, 4.4, 1),
            (ABSOLUTE, 0.5, 1.4, 0),
            (ABSOLUTE, 0.5, 1.6, 1),
            (COUNT, 0.0, 3.0, 0),
            (COUNT, 0.0, 5.0, 1),
        ],
    )
    def test_a_row_may_lose_half_of_its_ratio(
        self, row, before, after, status, tmp_path, capsys
    ):
        limit = [0.0 if row is COUNT else 10.0]
        old, new = run_of(row, [before], limit), run_of(row, [after], limit)
        assert self.compared(old, new, tmp_path, capsys)[0] == status

    def test_a_sentence_says_what_has_fallen(self, tmp_path, capsys):
        old, new = run_of(COST, [12.0], [10.0]), run_of(COST, [30.0], [10.0])
        _status, said = self.compared(old, new, tmp_path, capsys)
        assert said == (
            "FALLEN: all ready: 3.00 times bare, and it was 1.20 times: "
            "2.50 times worse, 2 times is the most\n"
        )

    def test_a_row_that_is_not_measured_any_more_has_fallen(self, tmp_path, capsys):
        old, new = run_of(COST, [12.0], [10.0]), run_of(COST, [], [])
        status, said = self.compared(old, new, tmp_path, capsys)
        assert status == 1
        assert "all ready: it was measured before, and is not any more" in said

    def test_it_takes_two_files(self, capsys):
        assert compare.main(["old.json"]) == 2
        assert "usage: python -m bench.compare" in capsys.readouterr().err


class TestOutput:
    def test_a_table_shows_medians_spreads_ratio_target_and_peers(self):
        found = result_of(COST, [12.0, 18.0], [10.0, 12.0], cotyledon=[50.0])
        assert tables.cells(found) == (
            "all ready, ms",
            "bare: 11.0 [10.0-12.0]",
            "15.0 [12.0-18.0]",
            "1.35 [1.20-1.50]",
            "≤ 1.5 x",
            "yes",
            "cotyledon: 50.0",
        )

    def test_the_page_names_the_rows_that_miss_their_target(self):
        text = page.text(run_of(COST, [30.0], [10.0]))
        assert "\n* all ready: 3.00 x bare, to be ≤ 1.5 x." in text
        assert "There are none." in page.text(run_of(COST, [10.0], [10.0]))

    def test_a_chart_has_a_bar_for_each_row(self, tmp_path):
        [path] = plot.write(run_of(COST, [30.0], [10.0]), tmp_path)
        assert path.name == "processes.svg"
        assert path.read_text().count("all ready") == 1


class TestJobs:
    jobs = (*processes.JOBS, *worker.JOBS)

    def test_each_row_has_a_name_of_its_own(self):
        keys = [row.key for job in self.jobs for row in job.rows]
        assert len(keys) == len({*keys})

    def test_each_scenario_is_there(self):
        folder = ROOT / "bench/scenarios"
        assert {job.scenario for job in self.jobs} == {
            path.stem for path in folder.glob("*.py")
        } - {"__init__", "child"}

    def test_the_reference_has_each_row(self):
        stored = results.load(ROOT / "bench/reference.json")
        assert stored.quick
        assert {result.key for result in stored.all()} == {
            row.key for job in self.jobs for row in job.rows
        }

    def test_reasons_are_given_for_rows_that_exist(self):
        keys = {row.key for job in self.jobs for row in job.rows}
        assert {*page.REASONS} <= keys
