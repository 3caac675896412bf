"""The page of a night: what came, what was refused, what it weighs, and what is still to be waited for."""
