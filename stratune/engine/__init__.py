"""Where runs execute. An engine is `run(job, on_event) -> RunResult`; `local` isolates each in a process of
its own.
"""
