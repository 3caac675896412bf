"""The language of campaigns, from text to numpy; `trigger.expression` is the way in.

syntax      the text: its characters, its syntax tree, how a place in it is named
check       the white list: from the syntax tree to a tree of operators
meaning     what a part is: a number with a unit, a condition, one of a list
units       units, and the functions that turn others into them
quantities  what makes a number of parts: arithmetic, rate, maximum, minimum, mean, unit functions
conditions  what makes a condition of parts: comparisons, and, or, not, held, then
functions   how each function is called, its windows above all
formula     the tree
piece       a piece of telemetry, and what expressions have found on it
operators   the numpy of each operator
"""
