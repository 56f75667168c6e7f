"""onvif-zeep: asks with GetCapabilities, signs with the clock it has."""

import glob
import os
import sys

from onvif import ONVIFCamera

from steps import Steps

steps = Steps()
# The wheel lays its WSDL files beside the package.
WSDL = glob.glob(os.path.join(sys.prefix, "lib/python3*/site-packages/wsdl"))[0]

camera = ONVIFCamera(steps.host, steps.port, steps.user, steps.password, WSDL)
media = camera.create_media_service()
profiles = []


def info():
    told = camera.devicemgmt.GetDeviceInformation()
    return [told.Manufacturer, told.Model, told.SerialNumber]


def list_profiles():
    profiles.extend(media.GetProfiles())
    return [profile.token for profile in profiles]


def stream(token):
    request = media.create_type("GetStreamUri")
    request.ProfileToken = token
    request.StreamSetup = {"Stream": "RTP-Unicast", "Transport": {"Protocol": "RTSP"}}
    return media.GetStreamUri(request).Uri


def ptz_service():
    service = camera.create_ptz_service()
    return service, next(profile.token for profile in profiles if profile.PTZConfiguration)


def ptz():
    service, token = ptz_service()
    service.ContinuousMove({"ProfileToken": token, "Velocity": {"PanTilt": {"x": -0.5, "y": 0}}})
    service.Stop({"ProfileToken": token, "PanTilt": True, "Zoom": True})
    return "ok"


def presets():
    service, token = ptz_service()
    preset = service.SetPreset({"ProfileToken": token, "PresetName": "zeep"})
    service.GotoPreset({"ProfileToken": token, "PresetToken": preset})
    return [found.Name for found in service.GetPresets({"ProfileToken": token})]


steps.run("info", info)
steps.run("profiles", list_profiles)
steps.run("streams", lambda: [stream(profile.token) for profile in profiles])
steps.run(
    "snapshots",
    lambda: [media.GetSnapshotUri({"ProfileToken": profile.token}).Uri for profile in profiles],
)
steps.run("ptz", ptz)
steps.run("presets", presets)
steps.report()
