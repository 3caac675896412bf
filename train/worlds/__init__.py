"""Worlds that are not ours, and the way to them.

rules        what an environment's numbers mean, and when a human takes over in it
car_racing   the rules of CarRacing-v3             registry   which environments have rules
adapter      a gymnasium environment as a world    stints     an exam in it
path         what controls would do to the car     egodriver  a policy as a driver of CARLA and AlpaSim
commands     `swerve train serve-driver`
"""
