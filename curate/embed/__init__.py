"""Clips as vectors: what their pictures mean and how they were driven, so that likeness is one dot product.

encoder.py   what turns a picture into features, by name: `lite0` (the default), `plain`, `onnx:FILE`
lite0.py     EfficientNet-Lite0 of the published weights, as an ONNX model; weights.py reads them without torch
network.py   runs an ONNX model on one thread
plain.py     low frequencies of the picture: needs nothing installed, means less
vector.py    features and signals to one vector of length 1, rounded so that dot products are exact
stage.py     the step of the night: one vector a clip, made once
"""
