import re

from merkwelt import console


def lines_of(shares, seconds_between, capsys):
    now = [0.0]
    report = console._printed_progress("work", clock_s=lambda: now[0])
    for share in shares:
        now[0] += seconds_between
        report(share, "note")
    return capsys.readouterr().err.splitlines()


def test_quick_work_prints_a_line_at_every_tenth(capsys):
    lines = lines_of([i / 1000 for i in range(1001)], 0.001, capsys)
    shares = [int(re.search(r"(\d+) %", line).group(1)) for line in lines]
    assert shares == list(range(0, 101, 10))


def test_slow_work_prints_a_line_a_minute_with_the_time_left(capsys):
    lines = lines_of([i / 1000 for i in range(1, 11)], 30.0, capsys)
    assert len(lines) == 5, lines  # The first at once, then one every 60 s of 300 s.
    # 9/1000 are done after 270 s, so 991/1000 take 29,730 s more.
    assert lines[-1].endswith("(8:15:30 left)")


def test_work_that_starts_late_still_ends_with_100_percent(capsys):
    assert "100 %" in lines_of([0.95, 1.0], 0.1, capsys)[-1]
