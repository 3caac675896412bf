"""Video in, controls out: samples, policy, fit, evaluate, report."""
