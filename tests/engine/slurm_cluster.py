"""sbatch, squeue, sacct and scancel of a cluster of this one machine, with one folder as its memory: this file
under these four names on PATH. $SLURM_FOLDER: NUMBER.json of each job (its name, what it was given, the
process group it runs in), NUMBER.exit with its exit code, NUMBER.state where it did not end by itself.

Its own interpreter is started without site packages: as fast as a shell.
"""

import json
import os
import pathlib
import signal
import subprocess
import sys

FOLDER = pathlib.Path(os.environ["SLURM_FOLDER"])


def numbers():
    return sorted(int(path.stem) for path in FOLDER.glob("*.json"))


def state_of(number):
    if (forced := FOLDER / f"{number}.state").exists():
        return forced.read_text()
    if (code := FOLDER / f"{number}.exit").exists() and code.read_text().strip():
        return "COMPLETED" if code.read_text().strip() == "0" else "FAILED"
    return "RUNNING"


def options():
    return dict(one[2:].partition("=")[::2] for one in sys.argv[1:] if one.startswith("--"))


def sbatch():
    given, script = options(), sys.argv[-1]
    if os.environ.get("SBATCH_PARTITION") == "nowhere":
        said = (
            "invalid partition specified: nowhere",
            "Batch job submission failed: Invalid partition name specified",
        )
        sys.exit("".join(f"sbatch: error: {line}\n" for line in said))
    number = max([41, *numbers()]) + 1
    log = given["output"].replace("%%", "%")
    about = {
        "name": given["job-name"],
        "options": given,
        "script": pathlib.Path(script).read_text(),
        "environment": {name: os.environ[name] for name in os.environ if name.startswith("SBATCH_")},
    }
    if os.environ.get("SLURM_NODES") == "blind":  # they do not see what is here
        (FOLDER / f"{number}.exit").write_text("2")
    elif os.environ.get("SLURM_NODES") != "busy":
        run = 'sh "$1" > "$2" 2>&1; echo $? > "$3"'
        command = ["sh", "-c", run, "sh", script, log, str(FOLDER / f"{number}.exit")]
        quiet = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.DEVNULL)
        about["group"] = subprocess.Popen(command, start_new_session=True, **quiet).pid
    else:
        (FOLDER / f"{number}.state").write_text("PENDING")
    (FOLDER / f"{number}.json").write_text(json.dumps(about))
    print(f"{number};here")


def end(number, state):
    (FOLDER / f"{number}.state").write_text(state)
    if group := json.loads((FOLDER / f"{number}.json").read_text()).get("group"):
        os.killpg(group, signal.SIGKILL)


def squeue():
    if (FOLDER / "down").exists():
        sys.exit("slurm_load_jobs error: Unable to contact slurm controller (connect failure)")
    for number in numbers():
        forgotten = (FOLDER / f"{number}.forgotten").exists()
        if json.loads((FOLDER / f"{number}.json").read_text())["name"] == options()["name"] and not forgotten:
            print(f"{number}|{state_of(number)}|Resources")


def sacct():
    for number in options()["jobs"].split(","):
        if (FOLDER / f"{number}.json").exists():
            print(f"{number}|{state_of(number)} by 1000")


def scancel():
    for number in numbers():
        named = json.loads((FOLDER / f"{number}.json").read_text())["name"] == options()["name"]
        if named and state_of(number) in ("RUNNING", "PENDING"):
            end(number, "CANCELLED")


if __name__ == "__main__":
    {"sbatch": sbatch, "squeue": squeue, "sacct": sacct, "scancel": scancel}[pathlib.Path(sys.argv[0]).name]()
