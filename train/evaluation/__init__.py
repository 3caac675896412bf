"""What an examination of a policy says: its answers, their errors on slices of the exam, and how sure all of it is.

Pure functions over arrays, one concept a file; `train.evaluate` puts them together, `train.compare` sets two policies
beside each other. Nothing here trains, draws or prints.
"""
