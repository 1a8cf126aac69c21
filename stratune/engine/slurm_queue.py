"""The commands of a SLURM cluster: what is asked of sbatch, squeue, sacct and scancel, and what they answer.

Whatever else a job should have (partition, account, time, memory, GPUs) is for sbatch itself, which reads it
from the environment: $SBATCH_PARTITION, $SBATCH_TIMELIMIT, ... ("INPUT ENVIRONMENT VARIABLES" in
`man sbatch`).
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from stratune.errors import ConfigError

NEEDED = ("sbatch", "squeue", "scancel")  # sacct: asked too where there is one
SECONDS = 120  # for an answer; a busy controller needs some
# States in which nothing of a job runs any more ("JOB STATE CODES" in `man squeue`).
ENDED = {
    "BOOT_FAIL", "CANCELLED", "COMPLETED", "DEADLINE", "FAILED", "NODE_FAIL", "OUT_OF_MEMORY", "PREEMPTED",
    "REVOKED", "TIMEOUT",
}  # fmt: skip
# Begin variables with filters and formats that the user has set for reading, not for us.
_VIEWS = ("SQUEUE_", "SACCT_", "SCANCEL_")


@dataclass(frozen=True)
class State:
    """In SLURM's words: `name` (RUNNING), `reason` why it waits or ended (Priority, AssocGrpGRES)."""

    name: str
    reason: str = ""

    @property
    def ended(self) -> bool:
        return self.name in ENDED


def check_commands() -> None:
    """Raises ConfigError on a machine from which no jobs can be submitted."""
    if missing := [name for name in NEEDED if shutil.which(name) is None]:
        why = f"{', '.join(missing)} not found; run it where jobs are submitted (a login node of the cluster)"
        raise ConfigError(f"--engine slurm: {why}", key="engine")


class Queue:
    """This user's jobs of one name: they can be asked for, and cancelled, even if their numbers were lost."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._mine = (f"--user={os.getuid()}", f"--name={name}")

    def submit(self, script: Path, log: Path, about: str, *, cpus: int, gpus: bool) -> str:
        """The job's number. Raises ConfigError with what sbatch says where it refuses.

        `about`: shown by `squeue --format=%k`. Not `gpus`: none, whatever the environment asks for.
        """
        # On the command line, which goes before the environment. A job whose node cannot be reached may still
        # be writing there: SLURM must not begin it again elsewhere (no requeue).
        told = _answer(
            "sbatch",
            "--parsable",
            f"--job-name={self.name}",
            f"--comment={about}",
            f"--output={_literal(log)}",
            f"--error={_literal(log)}",
            "--no-requeue",
            "--nodes=1",
            "--ntasks=1",
            f"--cpus-per-task={cpus}",
            str(script),
            without=() if gpus else _gpu_variables(),
        )
        return told.strip().splitlines()[-1].partition(";")[0]  # NUMBER, or NUMBER;CLUSTER

    def states(self, numbers: Collection[str]) -> dict[str, State]:
        """Of these jobs, as far as SLURM knows them. Raises ConfigError where it does not answer.

        squeue forgets a job some minutes after its end; accounts, where a cluster keeps them, do not.
        """
        known = self._queued()
        found = {number: known[number] for number in numbers if number in known}
        lost = [number for number in numbers if number not in known]
        return found | (_accounts(lost) if lost and shutil.which("sacct") else {})

    def active(self) -> list[str]:
        """Numbers of the jobs that have not ended."""
        return [number for number, state in self._queued().items() if not state.ended]

    def cancel(self) -> None:
        """All of them. Raises ConfigError where SLURM does not take it."""
        _answer("scancel", *self._mine)

    def _queued(self) -> dict[str, State]:
        told = _answer("squeue", "--noheader", "--states=all", *self._mine, "--format=%i|%T|%r")
        rows = (line.strip().split("|", 2) for line in told.splitlines() if line.count("|") >= 2)
        return {number: State(name, reason) for number, name, reason in rows}


def _accounts(numbers: Collection[str]) -> dict[str, State]:
    """Where no accounts are kept, sacct says so with an error: then nothing is known."""
    try:
        jobs = f"--jobs={','.join(numbers)}"
        told = _answer("sacct", jobs, "--allocations", "--noheader", "--parsable2", "--format=JobID,State")
    except ConfigError:
        return {}
    rows = (line.split("|") for line in told.splitlines() if line.count("|") == 1)
    return {number: State(name.split()[0]) for number, name in rows if name.strip()}  # CANCELLED by 1000


def _answer(command: str, *arguments: str, without: Collection[str] = ()) -> str:
    """Standard output. Raises ConfigError with the command's own last line where it fails."""
    environment = {
        name: value
        for name, value in os.environ.items()
        if name not in without and not name.startswith(_VIEWS)
    }
    try:
        done = subprocess.run(
            [command, *arguments],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=SECONDS,
            env=environment,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise ConfigError(f"{command}: {error}", key="engine") from error
    if done.returncode:
        said = done.stderr.strip().splitlines() or [f"exit code {done.returncode}"]
        text = said[-1].removeprefix(f"{command}: ").removeprefix("error: ")
        raise ConfigError(f"{command}: {text}", key="engine")
    return done.stdout


def _gpu_variables() -> list[str]:
    """Of those that sbatch reads: with which a job would ask for GPUs, or needs some to be there."""
    named = [name for name in os.environ if name.startswith("SBATCH_") and "GPU" in name]
    return named + (["SBATCH_GRES"] if "gpu" in os.environ.get("SBATCH_GRES", "") else [])


def _literal(path: Path) -> str:
    """sbatch takes %j and the like in the name of a log for the job's number and the like."""
    return str(path).replace("%", "%%")
