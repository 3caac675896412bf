"""The flywheel: night after night drives come in, triggers choose, the service takes in, policies learn and are judged.

    turning    night after night                       night      the steps of one night, each done once
    plan       what was asked for, kept beside them    learning   how policies learn that drive by themselves
    upload     agents and the real service             table      what came of the nights, as rows and as a picture

Where the drives come from, and how a candidate is examined, is all in which one flywheel differs from another:

    simulated  cars drive the built-in world           road_exam  miles between disengagements in it decide
    fleet      what they drive there, and how
    arrivals   recordings arrive in a folder           held_out   errors on held-out seconds decide

Nothing here does another room's work: recordings are files, clips go through the agent and the service, versions come
from the nightly job, policies from `train.fit`, and judgement from `train.gate` and `train.open_gate`.
"""
