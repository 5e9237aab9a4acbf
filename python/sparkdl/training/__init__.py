"""Training of one model by many workers, which are tasks of one Spark job.

Nothing is imported here: the processes that train import parts of this package only.
"""
