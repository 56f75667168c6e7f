"""onveef: no `action=` in its requests; Media1, recordings and their replay.

No events: before it pulls any, it stumbles over its own HTTP library (an assertion in httpx.Timeout).
"""

from onveef import OnvifClient
from onveef.wsdiscovery import discover

from steps import Steps

steps = Steps()
# As they are advertised, to see that they are right.
client = OnvifClient(steps.host, steps.port, steps.user, steps.password, rewrite_host=False)
profiles = []


def find():
    return sorted([device.endpoint_reference, *device.xaddrs] for device in discover(timeout_s=4))


def info():
    told = client.get_device_information()
    return [told["Manufacturer"], told["Model"], told["SerialNumber"]]


def list_profiles():
    profiles.extend(profile["token"] for profile in client.get_profiles())
    return profiles


def picture():
    image, _ = client.get_snapshot(profile_token=profiles[0])
    return "ok" if image.startswith(b"\xff\xd8") else "no JPEG"


def ptz():
    client.ptz_continuous_move(profile_token=profiles[0], pan=0.0, tilt=0.0, zoom=0.5)
    client.ptz_stop(profile_token=profiles[0])
    return "ok"


def presets():
    preset = client.ptz_set_preset(profile_token=profiles[0], preset_name="onveef")
    client.ptz_goto_preset(profile_token=profiles[0], preset_token=preset)
    return [found["name"] for found in client.ptz_get_presets(profile_token=profiles[0])]


def recordings():
    return [item["token"] for item in client.get_recordings()]


steps.run("discover", find)
steps.run("info", info)
steps.run("profiles", list_profiles)
steps.run("streams", lambda: [client.get_stream_uri(profile_token=token) for token in profiles])
steps.run("snapshots", lambda: [client.get_snapshot_uri(profile_token=token) for token in profiles])
steps.run("picture", picture)
steps.run("ptz", ptz)
steps.run("presets", presets)
steps.run("recordings", recordings)
steps.run("replays", lambda: [client.get_replay_uri(recording_token="rec_yard")])
steps.report()
