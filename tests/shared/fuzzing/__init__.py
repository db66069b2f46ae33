"""Damaged and extreme inputs, made from a seed, put through the command line, and judged.

`damage` spoils values, trees and bytes; `kinds` makes the inputs of each kind; `worker` runs them in a process of its own under
a limit of memory; `verdict` says what is wrong with what came out. One input again, its files kept:
`PYTHONPATH=tests/shared python -m fuzzing.worker KIND SEED NUMBER 1 FOLDER`.
"""
