"""On the car, or beside a folder of recorded drives: read, detect, cut, hand over.

Needs numpy, pyarrow and PyAV; never torch. Start with `edge.drive.open_drive(path)`.

    recorders   one file a recording format; what they share or need lies in `formats`
    video       cameras, encoding, and cutting without encoding
    export      drives in formats of others
    page        a drive as one HTML page
    trial       triggers judged on recorded drives: cards, labels, campaigns, back-test
    night       the car at night: queue, choice, ledger, agent
    upload      handing clips over, with a receipt

Here lie the drive itself, its native format, scanning and cutting, and the commands.
"""
