"""Where runs execute. An engine takes jobs and gives back results as they come (base.py); `local` isolates
each run in a process of its own, several at once where asked to; `ray` does so on the machines of a cluster;
`slurm` has a cluster's queue do each as a job.
"""
