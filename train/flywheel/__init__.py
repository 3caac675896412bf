"""The flywheel: night after night, cars drive, triggers choose, the service takes in, a policy learns and is examined.

    fleet     what the cars of one night drive, and how           upload    their agents and the real service
    night     the steps of one night, each done once              turning   night after night
    plan      what was asked for, kept beside the nights          learning  how policies learn that drive by themselves
    table     what came of the nights, as rows and as a picture

Nothing here does another room's work: recordings are files, clips go through the agent and the service, versions come
from the nightly job, policies from `train.fit`, and judgement from `train.exam` and `train.gate`.
"""
