"""Policies: pictures in, controls for the next steps out, each with how sure it is.

presets.py    ready-made configurations, as functions; where to start
config.py     everything needed to build a policy and to read its outputs
policy.py     what all policies share: one trunk a camera, senses, and the head with its two outputs
trunk.py      what a trunk is, and the convolutions that ours are made of
twopaths.py   appearance and motion from a few frames: `tiny` and `small`
backbone.py   torchvision's ResNet and MobileNet over each frame: `resnet` and `mobilenet`
recurrent.py  a small convolution net over each frame and a GRU over time: `recurrent`
"""
