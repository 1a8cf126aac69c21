"""The fuzz campaign: malformed files, folders and command lines against what a user would run.

    make fuzz                                  10,000 cases; FUZZ_CASES=N and FUZZ_SEED=S choose others
    python -m fuzz --cases 300 --seed 1 --kinds manifests,configurations
    python -m fuzz --only manifests:1000042    one case again, with its files kept and its output shown

A kind of case is one file here: it says what is damaged and which command reads it. What must hold whatever
is damaged stands in `promises.py`.
"""
