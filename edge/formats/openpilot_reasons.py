"""Why openpilot stopped being engaged, from the names of the on-road events that end an engagement.

What ends one, and why, is openpilot's `selfdrive/selfdrived/events.py` (EVENTS: userDisable, softDisable and
immediateDisable) and `selfdrived.py`: pedalPressed is a pressed accelerator where that is set to disengage, a pressed
brake or a regeneration paddle. Old names are those before 2021, which the schema keeps with DEPRECATED.

The driver's own act comes before anything the system says of itself. Not told apart, and unknown: the car's cruise
control that went off (pcmDisable, cruiseDisabled: a button, a pedal or the car itself), the main switch (wrongCarMode,
wrongCruiseMode), and what a driver does that is none of the reasons (gear, door, seat belt, parking brake, stability
control switched off).
"""

from __future__ import annotations

from collections.abc import Collection

from trigger.signals import EndReason

PEDALS = {"pedalPressed"}
OF_DRIVER = {
    EndReason.BRAKE: {"brakeHold"},
    EndReason.STEERING: {"steerOverride"},
    EndReason.GAS: {"gasPressedOverride"},
    EndReason.BUTTON: {"buttonCancel"},
}
OF_SYSTEM = {
    EndReason.FAULT: {
        *("canError", "canBusMissing", "usbError", "relayMalfunction", "controlsMismatch", "vehicleSensorsInvalid"),
        *("steerUnavailable", "steerTempUnavailable", "accFaulted", "radarFault", "brakeUnavailableDEPRECATED"),
        *("gasUnavailableDEPRECATED", "radarCanErrorDEPRECATED", "radarCommIssueDEPRECATED", "plannerErrorDEPRECATED"),
        *("commIssue", "commIssueAvgFreq", "processNotRunning", "selfdrivedLagging", "modeldLagging", "lowMemory"),
        *("modelCommIssueDEPRECATED", "modelLagWarningDEPRECATED", "soundsUnavailableDEPRECATED", "posenetInvalid"),
        *("sensorDataInvalid", "cameraMalfunction", "cameraFrameRate", "roadCameraErrorDEPRECATED", "deviceFalling"),
        *("driverCameraErrorDEPRECATED", "wideRoadCameraErrorDEPRECATED", "gpsMalfunctionDEPRECATED", "overheat"),
        *("locationdTemporaryError", "locationdPermanentError", "paramsdTemporaryError", "paramsdPermanentError"),
        *("calibrationInvalid", "calibrationIncomplete", "calibrationRecalibrating", "lowBattery"),
    },
    EndReason.PLANNED: {"speedTooLow", "steerTimeLimit"},
}
"""PLANNED: limits that the car sets and openpilot knows before."""


def end_reason(names: Collection[str], brake: bool, gas: bool) -> EndReason:
    """The reason that the names of the disabling events in force give.

    Args:
        brake, gas: whether the driver pressed the pedal then; it says which of them pedalPressed means.
    """
    if PEDALS & set(names):
        return EndReason.GAS if gas and not brake else EndReason.BRAKE
    for reason, known in (OF_DRIVER | OF_SYSTEM).items():
        if known & set(names):
            return reason
    return EndReason.UNKNOWN
