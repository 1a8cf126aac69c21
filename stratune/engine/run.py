"""One run: train, save, predict, measure, and write its folder. `result.json` comes last: its presence
means done.
"""

from __future__ import annotations

import json
import time
import traceback
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import torch

from stratune.data.arrow import to_arrow
from stratune.data.raters import COLUMN
from stratune.data.rows import text_columns
from stratune.data.store import load_parts
from stratune.engine.job import Job, Place
from stratune.errors import StratuneError
from stratune.files import file_sha256, folder_bytes, replacing, write_text
from stratune.fitting.answer_remarks import remarks_on
from stratune.fitting.fit import train
from stratune.fitting.trained import Trained, metrics_of
from stratune.fitting.trials import remove_checkpoints
from stratune.identity import digest
from stratune.longtext.evidence import Course, shortened
from stratune.memory import PeakMemory, set_up_memory
from stratune.model.answers import Scored
from stratune.model.label_mass import median_mass
from stratune.prompt.trial import spread
from stratune.remote.exchanges import gather
from stratune.remote.named import Servers
from stratune.remote.settings import Remote
from stratune.result import RunResult
from stratune.strategy import parse_strategy
from stratune.target.decision import Decide
from stratune.target.within_folds import why_undefined_within
from stratune.train.processes import is_main
from stratune.train.settings import Budget, TrainSettings
from stratune.version import machine, now, versions
from stratune.watch import SILENT, Progress

# Files of a run that a report reads: one that is not as it was written is made again, with its run.
RESULTS = ("predictions.parquet", "model/stratune.json", "history.jsonl", "trials.jsonl")


def execute(job: Job, place: Place, progress: Progress = SILENT) -> RunResult:
    """Run a job to its end. Whatever goes wrong becomes a failed result: the comparison goes on (design,
    rule 12).
    """
    set_up_memory()
    try:
        place.run(job.run_id).mkdir(parents=True, exist_ok=True)
        result = _execute(job, place, load_parts(place.split(job)), progress)
    except StratuneError as error:
        result = job.failed(str(error), job.fingerprint)
    except OSError as error:  # a full disk, a folder that may not be written in
        place_of_it = f"{error.filename}: " if error.filename else ""
        text = f"{place_of_it}{error.strerror or error}"
        result = job.failed(text, job.fingerprint, traceback.format_exc())
    except Exception as error:  # noqa: BLE001  the only broad one: a failure is a row
        reason = str(error).strip().splitlines()
        text = f"{type(error).__name__}: {reason[0] if reason else 'no message'}"
        result = job.failed(text, job.fingerprint, traceback.format_exc())
    if is_main():  # under `accelerate launch` one process writes
        result.save(place.result_file(job))
    return result


def _execute(job: Job, place: Place, split: Any, progress: Progress) -> RunResult:
    memory, folder = PeakMemory(), place.run(job.run_id)
    budget, settings = Budget(**job.budget), TrainSettings(**job.train)
    strategy = parse_strategy(job.strategy)
    trained = train(
        strategy,
        job.backbone,
        split.task,
        split,
        budget,
        job.seed,
        settings=settings,
        work=folder,
        progress=progress,
        remote=Remote(**job.remote),
        members=[place.run(member) for member in job.members],
        servers=Servers(job.servers) if job.servers else None,
        decide=Decide(**job.decide),
        ask=True,
        identity=digest(job.identity),
    )
    result = RunResult(
        job.strategy["name"], job.backbone, job.seed, settings=job.settings(), versions=versions()
    )
    result.fingerprint, result.identity, result.machine = split.fingerprint, job.identity, machine()
    result.floor = strategy.floor
    _costs(result, trained)
    if not job.members:  # as it was fitted: the settings of a trial, the steps that few rows are read in
        result.settings = {**result.settings, "strategy": trained.predictor.about["strategy"]}
    if trained.prompts:
        result.trials = result.tried.get("prompts", len(trained.prompts))
        result.notes = [*result.notes, spread(trained.prompts, split.task.selection)]
    scorer = trained.predictor.model
    if settings.cache:
        scorer = scorer.caching()
    raw, seconds = timed_answers(scorer, split.test, progress, "predicting test")
    target, post = split.task.target, trained.predictor.post
    # Labels that no training row has are never answered: even a model that knows them is wrong about them.
    scored = {"val": trained.validation_answers(split), "test": post(raw, target, split.wrong)}
    for part, answers in scored.items():
        truth = target.truth(split.parts[part]["label"][:])
        values = metrics_of(answers, split, part)
        setattr(result, part, values)
        undefined = (
            split.task.selection.value(values) is None and not answers.certain
        )  # else a remark says why
        if part == "val" and undefined:
            why = why_undefined_within(split.folds, target, split.task.metric, truth, answers.predictions)
            result.notes = [*result.notes, why]
        if part == "test":
            note_answers(result, answers, seconds)
            result.notes = [*result.notes, *scorer.remarks(), *remarks_on(answers)]
    result.peak_bytes = memory.peak_bytes()
    trained.predictor.about["scores"] = {"val": result.val, "test": result.test}
    if split.reading is not None:
        trained.predictor.about["transcripts"] = dict(split.reading)
    if trained.is_main_process:
        _write(folder, trained, split, scored)
        result.artifact_bytes = folder_bytes(folder / "model")
        written = [name for name in RESULTS if (folder / name).is_file()]
        result.files = {name: file_sha256(folder / name) for name in written}
    result.date = now()
    return result


def _costs(result: RunResult, trained: Trained) -> None:
    result.trainable_params, result.total_params = trained.trainable_params, trained.total_params
    result.precision, result.processes = trained.precision, trained.processes
    result.threads = torch.get_num_threads()
    result.train_seconds, result.notes = trained.train_seconds, trained.notes
    result.price, result.tried = trained.price, trained.tried()
    if trained.position is not None and trained.examples_seen is not None:
        result.examples_seen = trained.examples_seen
        result.best_epoch = trained.position.best_epoch
        result.train_rows_per_second = result.examples_seen / max(trained.train_seconds, 1e-9)


def note_answers(result: RunResult, answers: Scored, seconds: float) -> None:
    """What the answers to the test part say, and how long they took."""
    result.predict_rows_per_second = len(answers.predictions) / seconds
    result.tokens_cut = int(answers.tokens_cut.sum())
    result.invalid = float(answers.invalid.mean()) if answers.invalid is not None else None
    result.label_mass = median_mass(answers.mass)
    result.certain = answers.certain


def timed_answers(scorer: Any, table: Any, progress: Progress, stage: str) -> tuple[Scored, float]:
    """Answers and wall seconds, tokenising included, and encoding too where another run did it."""
    texts, pairs = text_columns(table)
    progress.stage(stage, len(texts))
    started = time.perf_counter()
    answers = scorer(texts, pairs, progress)
    return answers, time.perf_counter() - started + answers.saved_seconds


def _write(folder: Path, trained: Trained, split: Any, scored: dict[str, Scored]) -> None:
    _write_lines(folder / "history.jsonl", trained.history)
    if not trained.trials:  # else they are written by now (fitting/trials.py)
        (folder / "trials.jsonl").unlink(missing_ok=True)  # of the run that this one takes the place of
        if trained.prompts:
            _write_lines(folder / "trials.jsonl", [trial.line() for trial in trained.prompts])
    _write_prompt(folder / "prompt.txt", trained, split.test)
    write_predictions(folder / "predictions.parquet", split, scored)
    trained.predictor.save(folder / "model")
    gather(folder)  # after the saved model was asked, too
    for checkpoints in (folder, *folder.glob("trial-*")):
        remove_checkpoints(checkpoints)


def _write_prompt(path: Path, trained: Trained, test: Any) -> None:
    """What was asked about the first row of test; no file where nothing was asked."""
    texts, pairs = text_columns(test)
    prompt = trained.predictor.model.prompt(texts[0], pairs[0] if pairs else None) if texts else None
    path.unlink(missing_ok=True)
    if prompt is not None:
        write_text(path, prompt)


def _write_lines(path: Path, lines: list[dict[str, Any]]) -> None:
    write_text(path, "".join(json.dumps(line) + "\n" for line in lines))


def write_predictions(path: Path, split: Any, scored: dict[str, Scored]) -> None:
    write_tables(path, [predictions_table(split, part, answers) for part, answers in scored.items()])


def write_tables(path: Path, tables: list[pa.Table]) -> None:
    """predictions.parquet, a table a part."""
    import pyarrow.parquet as pq

    with replacing(path) as temporary:
        pq.write_table(pa.concat_tables(tables, promote_options="default"), temporary)


def _course(course: Course) -> list[dict[str, Any]]:
    chunks = zip(course.spans.tolist(), course.losses.tolist(), course.so_far.tolist(), strict=True)
    return [
        {"start": start, "end": end, "score": loss, "so_far": so_far} for (start, end), loss, so_far in chunks
    ]


def predictions_table(split: Any, part: str, answers: Scored) -> pa.Table:
    """The lines of predictions.parquet of a part."""
    task, rows = split.task, split.parts[part]
    columns: dict[str, Any] = {
        "id": rows["id"][:],
        "part": [part] * len(rows),
        "truth": task.target.stored(rows["label"][:]),
    }
    columns["prediction"] = answers.predicted(task)
    columns |= {f"score_{label}": answers.predictions[:, k] for k, label in enumerate(task.labels)}
    columns["tokens_cut"] = np.asarray(answers.tokens_cut, dtype=np.int32)
    if answers.answers is not None:
        columns["answer"] = answers.answers
    if answers.mass is not None:
        columns["label_mass"] = answers.mass
    if any(answers.why or ()):
        columns["invalid_reason"] = [why or None for why in answers.why or ()]
    if answers.evidence is not None:
        columns["evidence"] = [
            [{**asdict(one), "text": shortened(text[one.start : one.end])} for one in named]
            for text, named in zip(rows["text"][:], answers.evidence, strict=True)
        ]
        columns["course"] = [_course(one) for one in answers.courses or ()]
    if "group" in rows.column_names:
        columns["group"] = rows["group"][:]
    if COLUMN in rows.column_names:
        columns[COLUMN] = to_arrow(rows).column(COLUMN)
    return pa.table(columns)
