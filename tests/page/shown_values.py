"""One of everything that the page's views are given, sound; see `test_hostile`."""

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

from tests.search.test_recommend import row
from workbench.measure.capability_result import Capability, task_result
from workbench.measure.evaluation import Evaluation
from workbench.measure.evaluation_settings import EvaluationSettings
from workbench.measure.report import build_report
from workbench.measure.report.contents import evaluation_part
from workbench.measure.report.stress import build_stress_report
from workbench.measure.stress_result import FineTuned, JudgeRecord, Reply, Stress, StressAnswer
from workbench.measure.verdicts import QuestionVerdicts, Verdict
from workbench.methods.estimate_record import RunEstimate
from workbench.methods.events import EpochDone, Started
from workbench.methods.locft_settings import EditSettings
from workbench.model.inside_record import Curve, Inside, ShownText, ShownToken, Word
from workbench.model.places import Places
from workbench.model.presets import Preset
from workbench.search.scan_result import Scan, ScanRow
from workbench.store.evaluations import KeptEvaluation
from workbench.store.jobs import Job
from workbench.store.probes import Answered, ProbeRow
from workbench.store.run_pair import Differences, PairedFact
from workbench.store.runs import FactOutcome, Run
from workbench.store.talks import Talk, Turn

WRONG = Reply(False, "Lima", "judge", ended=True)
STRESS = Stress(
    model="some/model",
    facts=1,
    of=1,
    edited=True,
    chat=True,
    answers=(StressAnswer(0, "plain", "The capital of Peru is", "Rome", WRONG, WRONG, WRONG),),
    judge=JudgeRecord("a judge", "http://host/v1", "Is {said} right?", 1, 0, 1),
    fine_tuned=FineTuned(2, ("6.mlp",), 1e-4, 4, 8, "a text", 2.0, 1.5),
    settings={"seed": 0, "judge_model": "a judge"},
)
STRESS_REPORT = build_stress_report(
    STRESS.as_dict(),
    facts={"count": 1, "digest": "abc", "file": "facts.csv"},
    command="workbench stress facts.csv",
    versions={"torch": "2"},
    run={"settings": {"at": ["6.mlp"]}, "at": ["6.mlp"], "created": "today"},
)

AT = ("6.mlp.down_proj",)
PLACES = Places(3, {"mlp.up": (0, 1, 2), "mlp.down": (2,)}, {"mlp.down": 4})
SETTINGS = EditSettings(at=AT, learning_rate=0.005, batch_size=2, epochs=40)
INTERVAL = {"value": 0.5, "low": 0.25, "high": 0.75, "count": 9}
NAMES = ("reliability_strict", "generalization_strict", "reliability_generated")
METRICS = {
    "before": dict.fromkeys(NAMES, 0.1),
    "after": dict.fromkeys(NAMES, 0.9),
    "intervals": {side: dict.fromkeys(NAMES, INTERVAL) for side in ("before", "after")},
}
OUTCOME = {"reason": "epochs", "epochs": 2, "steps": 4, "seconds": 1.5}
RUN = Run(1, 1, "done", "builtin", "locft-bf", AT, SETTINGS, 3, METRICS, OUTCOME, 0.0, 1.0)
OTHER = Run(
    2,
    2,
    "stopped",
    "other",
    "locft-bf",
    ("6",),
    EditSettings(at=("6",)),
    4,
    METRICS,
    OUTCOME,
    0.0,
    None,
)
JOB = Job(1, "edit", {}, "running", 0.5, "epoch 1", {}, "", 0.0, 0.0, None, None)
FAILED = Job(1, "edit", {}, "failed", None, "", {}, "out of memory", 0.0, 0.0, 1.0, None)
MISSED = FactOutcome(1, "The capital is", "Lima", False, "Oslo", "Rome")
EPOCHS = [EpochDone(n, 40, 1.0 / n, 0.5, 1.5 * n) for n in (1, 2)]
PLAN = Started(3, AT, 0.005, 2, 40, 400, 196_608, 4_200_000, 6)
ESTIMATE = RunEstimate("this run", PLAN, 3.2, 3, left_out=("a wording is",))
PRESET = Preset("builtin", AT, 0.005, "measured", True)
SAID = Answered("Canberra", (("Canb", 0.5), ("x", 0.25)))
PROBE = ProbeRow(
    1, "The capital is", False, True, 1, "builtin", 1, 2, SAID, SAID, {"after": "Ca"}, None, ""
)
ABOUT = ProbeRow(2, "It is", True, False, 1, "builtin", 1, 2, SAID, SAID, {}, 3, "rephrase")
JUDGED = Verdict(False, 0.5, False)
QUESTION = QuestionVerdicts(
    0, "prompt", "The capital is", "Oslo", JUDGED, JUDGED, said_before="Rome", said_after="Bern"
)
STAYS = QuestionVerdicts(0, "locality", "Chad lies in", "", JUDGED, JUDGED, JUDGED)
PAIRED = Differences(3, (PairedFact("The capital is", "Lima", "Oslo", "Rome"),))
SIDE = {"perplexity": 6.0, "unended": 0.1, "entropy": 10.0}
HEALTH = {"before": SIDE, "after": SIDE, "text": "English", "sentence": "It still writes."}
CAPABILITY = Capability((task_result("facts", "acc", [1, 1, 0], [1, 0, 0]),), 100, "0.4").as_dict()
STUDY: dict[str, Any] = {
    "kind": "pipelines",
    "rows": [
        {
            "label": "LocFT-BF",
            "at": AT[0],
            "learning_rate": 5e-3,
            "steps": 100,
            "seconds": 1.5,
            "score": 0.9,
            "reliability_strict": 1.0,
            "capability_kept": 0.97,
        }
    ],
    "sentences": ["The paper's ordering holds here."],
}
RIVALS = {
    "kind": "methods",
    "model": "builtin",
    "asked": "2 facts.",
    "rows": [
        {
            **ROW,
            "tried": "step",
            "mode": "each",
            "memory_bytes": 1e6,
            "weights": 5,
            "first": 2,
            "first_then": 1.0,
            "first_now": 0.5,
            "pareto": True,
        }
        for ROW in STUDY["rows"]
    ],
    "sentences": ["One by one: FT."],
}
SECOND = replace(QUESTION, fact=1)
LABELS = {"pattern": ["The capital of …", "The author of …"]}
PART = evaluation_part(
    Evaluation(2, (QUESTION, STAYS, SECOND), edited=True, written=2, labels=LABELS)
)
REPORT = build_report(
    evaluation=PART,
    facts={"count": 2, "digest": "abc", "file": "facts.csv"},
    model="builtin",
    command="workbench evaluate",
    run={"settings": SETTINGS.as_dict(), "losses": [3.0, 0.5], "why": "It is best.", **OUTCOME},
    health=HEALTH,
    capability=CAPABILITY,
    studies=[STUDY],
    versions={"torch": "2.13"},
)
KEPT = KeptEvaluation(
    1,
    1,
    "builtin",
    EvaluationSettings(),
    {"evaluation": PART, "health": HEALTH, "capability": CAPABILITY},
    0.0,
)
SWEPT = [row("5.mlp", 0.9, 0.8, 0.7), row("6.mlp", 1.0, 1.0, 1.0, limit=50)]
SCAN = Scan((ScanRow("5.mlp.gate", 5, "mlp.gate", 9, 1.0, 0.5, 0.2),), 3, 2, 1, 1, 1.0)
INSIDE = Inside(
    "The capital of Peru is",
    "raw",
    1,
    ("1.mlp",),
    (Curve("Cusco", "new answer", (0.0, 0.1, 0.2), (0.0, 0.5, 0.9)),),
    (Word("Peru", 1.0, -0.5),),
    (ShownText("chat", (ShownToken(" Cusco", 7, True),), ("Ends.",), ("No blank.",), "Be kind."),),
    "No gradient.",
)
TALK = Talk(1, "some/model", True, "Be kind.", (1,))
TURN = Turn(1, "Hello", {"": Answered("Hi")}, {"1": "Hey"}, 1)
SWEEP = SimpleNamespace(id=3, state="stopped", rows=[1], plan=SimpleNamespace(trials=24))
