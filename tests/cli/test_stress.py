"""`workbench stress`: a table, reports, and a judge whose key stands nowhere."""

import json
from pathlib import Path

import pytest

from tests.cli.conftest import Ran, Run
from tests.endpoint import endpoint
from workbench.measure.judge import PROMPT

KEY = "k3y-that-nobody-may-see"
BRIEF = ("--max-new-tokens", 6, "--lasting-steps", 2, "--facts", 3)


@pytest.mark.slow
def test_a_stress_is_told_reported_and_judged_and_the_key_stands_nowhere(
    run: Run,
    sample: Path,
    edited: tuple[Path, Ran],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("JUDGE_KEY", KEY)
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    reports = [tmp_path / f"report{end}" for end in (".html", ".md", ".json")]
    with endpoint("no") as server:
        judge = ("--judge-model", "m", "--judge-url", server.url, "--judge-key-env", "JUDGE_KEY")
        words = [word for path in reports for word in ("--report", path)]
        ran = run("stress", sample, "--patch", edited[0], *BRIEF, *judge, *words)
    assert (ran.code, ran.err) == (0, "")
    assert {headers["Authorization"] for _, headers, _ in server.asked} == {f"Bearer {KEY}"}
    first = ran.out.splitlines()[0].split()
    assert first == ["asked", "as", "before", "after", "later", "asked"]
    assert "two hops" in ran.out and "–" in ran.out and f"m at {server.url} was asked" in ran.out
    texts = [path.read_text(encoding="utf-8") for path in reports]
    assert KEY not in "".join([ran.out, ran.err, *texts])
    assert all("--judge-key-env JUDGE_KEY" in text for text in texts)
    page, markdown, plain = texts
    assert "<script" not in page and "Is the given answer right?" in page
    assert PROMPT in markdown and "| in reverse |" in markdown
    report = json.loads(plain)
    assert report["stress"]["judge"]["prompt"] == PROMPT
    assert report["stress"]["judge"]["asked"] == len(server.asked)
    assert report["run"]["at"] == ["6.mlp.down_proj"] and report["facts"]["count"] == 20


@pytest.mark.slow
def test_a_base_alone_is_asked_before_and_nothing_is_sent(run: Run, sample: Path) -> None:
    found = run("stress", sample, "--facts", 2, "--probes", "belief,choice", "--json").json
    assert {row["name"] for row in found["rows"]} == {
        *("true_new", "true_old", "rather_new", "choice", "choice_old")
    }
    assert found["fine_tuned"] is None and found["judge"] is None
    assert all(answer["after"] is None for answer in found["answers"])


def test_what_makes_no_sense_is_one_line_and_repeats_no_key(
    run: Run, sample: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ran = run("stress", sample, "--report", "report.pdf")
    assert ran.code == 2 and ".html, .md" in ran.err
    judge = ("--judge-model", "m", "--judge-url", "http://127.0.0.1:1/v1")
    ran = run("stress", sample, *judge, "--judge-key-env", f"sk-{KEY}")
    assert ran.code == 2 and "never the key itself" in ran.err and KEY not in ran.err
    monkeypatch.delenv("JUDGE_KEY", raising=False)
    ran = run("stress", sample, *judge, "--judge-key-env", "JUDGE_KEY")
    assert ran.code == 2 and "is not set" in ran.err
    ran = run("stress", sample, "--probes", "moods")
    assert ran.code == 2 and "moods" in ran.err and "Traceback" not in ran.err
