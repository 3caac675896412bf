"""Does it pay to choose? The same fleet, the same number of labelled seconds, the same number of steps; only what is
chosen, and how it is weighed, differs.

    plan      what is compared, and on what terms     pools     what the fleet recorded, cut into clips
    choice    which clips each arm is given           trial     one arm and one seed: learn, and sit the exam
    table     what came out, with intervals           commands  swerve train experiment
"""
