"""A small driving world in which a policy can be driven: places, traffic, an expert, a safety driver, a camera.

    place     which places there are, which are for the fleet and which for exams
    road      where a place's road runs, and what happens where
    car       how the ego car moves                 actors    everybody else
    scene     all of it at one moment, and the step to the next
    expert    who drives well                       safety    when a human would have taken over
    draw      what the camera sees                  env       the gymnasium interface
    record    drives in the native format

Axes are ISO 8855 (x forward, y left, z up); stations run along the road's centre line, offsets to its left.
"""
