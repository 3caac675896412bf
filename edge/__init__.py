"""On the car, or beside a folder of recorded drives: read, detect, cut, hand over.

Needs numpy, pyarrow and PyAV; never torch. Start with `edge.drive.open_drive(path)`.
"""
