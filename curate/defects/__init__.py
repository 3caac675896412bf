"""Kinds of defect of a clip that decodes, each a pure function of frame times, thumbs and signals."""
