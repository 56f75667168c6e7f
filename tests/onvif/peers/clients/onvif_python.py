"""onvif-python: Media2, with WS-UsernameToken, or with HTTP Digest if a further argument is `digest`."""

import sys

from onvif import CacheMode, ONVIFClient, ONVIFDiscovery

from steps import Steps

steps = Steps()
digest = "digest" in sys.argv[6:]
client = ONVIFClient(
    steps.host, steps.port, steps.user, steps.password, http_digest=digest, cache=CacheMode.NONE
)
profiles = []


def discover():
    devices = ONVIFDiscovery(timeout=4, interface=steps.own).discover()
    return sorted([device["epr"], *device["xaddrs"]] for device in devices)


def info():
    told = client.devicemgmt().GetDeviceInformation()
    return [told.Manufacturer, told.Model, told.SerialNumber]


def list_profiles():
    profiles.extend(client.media2().GetProfiles(Type=["All"]))
    return [profile.token for profile in profiles]


def address(answer):
    return getattr(answer, "Uri", answer)


def ptz_token():
    return next(profile.token for profile in profiles if profile.Configurations.PTZ)


def ptz():
    token = ptz_token()
    client.ptz().ContinuousMove(ProfileToken=token, Velocity={"PanTilt": {"x": 0, "y": 0.5}})
    client.ptz().Stop(ProfileToken=token, PanTilt=True, Zoom=True)
    return "ok"


def presets():
    token = ptz_token()
    preset = client.ptz().SetPreset(ProfileToken=token, PresetName="python")
    client.ptz().GotoPreset(ProfileToken=token, PresetToken=preset)
    return [found.Name for found in client.ptz().GetPresets(ProfileToken=token)]


def recordings():
    return [item.RecordingToken for item in client.recording().GetRecordings()]


def events():
    reference = client.events().CreatePullPointSubscription()
    pulled = client.pullpoint(reference).PullMessages(Timeout="PT1S", MessageLimit=10)
    client.subscription(reference).Unsubscribe()
    return "ok" if pulled.CurrentTime else "no time in it"


def replays():
    setup = {"Stream": "RTP-Unicast", "Transport": {"Protocol": "RTSP"}}
    answer = client.replay().GetReplayUri(StreamSetup=setup, RecordingToken="rec_yard")
    return [address(answer)]


steps.run("discover", discover)
steps.run("info", info)
steps.run("profiles", list_profiles)
steps.run(
    "streams",
    lambda: [address(client.media2().GetStreamUri(Protocol="RTSP", ProfileToken=p.token)) for p in profiles],
)
steps.run(
    "snapshots", lambda: [address(client.media2().GetSnapshotUri(ProfileToken=p.token)) for p in profiles]
)
steps.run("ptz", ptz)
steps.run("presets", presets)
steps.run("events", events)
steps.run("recordings", recordings)
steps.run("replays", replays)
steps.report()
