"""What is worth keeping: pure functions over telemetry arrays.

numpy only; nothing here opens a file, reads a clock or touches a network. The same functions run on the
car and beside a folder of recorded drives.
"""
