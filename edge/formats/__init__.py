"""What the recorders of `edge.recorders` share or need: containers, messages, logs, evidence of signs."""
