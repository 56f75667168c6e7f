"""onvif-zeep-async, the client of Home Assistant and Frigate, called as those do."""

import asyncio
import datetime
import os
from pathlib import Path

import onvif
from onvif import ONVIFCamera

from steps import Steps

steps = Steps()
WSDL = os.path.join(Path(onvif.__file__).parent, "wsdl")


async def main():
    camera = ONVIFCamera(steps.host, steps.port, steps.user, steps.password, WSDL)
    await camera.update_xaddrs()
    media = await camera.create_media_service()
    profiles = []

    async def info():
        device = await camera.create_devicemgmt_service()
        told = await device.GetDeviceInformation()
        interfaces = await device.GetNetworkInterfaces()
        return [told.Manufacturer, told.Model, told.SerialNumber, interfaces[0].Info.HwAddress]

    async def list_profiles():
        profiles.extend(await media.GetProfiles())
        return [profile.token for profile in profiles]

    async def streams():
        uris = []
        for profile in profiles:
            request = media.create_type("GetStreamUri")
            request.ProfileToken = profile.token
            request.StreamSetup = {"Stream": "RTP-Unicast", "Transport": {"Protocol": "RTSP"}}
            uris.append((await media.GetStreamUri(request)).Uri)
        return uris

    async def snapshots():
        return [await camera.get_snapshot_uri(profile.token) for profile in profiles]

    async def picture():
        image = await camera.get_snapshot(profiles[0].token)
        return "ok" if image and image.startswith(b"\xff\xd8") else "no JPEG"

    async def ptz_service():
        service = await camera.create_ptz_service()
        return service, next(profile.token for profile in profiles if profile.PTZConfiguration)

    async def ptz():
        service, token = await ptz_service()
        await service.ContinuousMove({"ProfileToken": token, "Velocity": {"PanTilt": {"x": 0.5, "y": 0}}})
        await service.Stop({"ProfileToken": token, "PanTilt": True, "Zoom": True})
        return "ok"

    async def presets():
        service, token = await ptz_service()
        preset = await service.SetPreset({"ProfileToken": token, "PresetName": "zeep-async"})
        await service.GotoPreset({"ProfileToken": token, "PresetToken": preset})
        return [found.Name for found in await service.GetPresets({"ProfileToken": token})]

    async def events():
        manager = await camera.create_pullpoint_manager(datetime.timedelta(seconds=60), lambda: None)
        await manager.set_synchronization_point()
        pulled = await manager.get_service().PullMessages(
            {"MessageLimit": 100, "Timeout": datetime.timedelta(seconds=1)}
        )
        await manager.shutdown()
        return "ok" if pulled.CurrentTime else "no time in it"

    for name, work in (
        ("info", info),
        ("profiles", list_profiles),
        ("streams", streams),
        ("snapshots", snapshots),
        ("picture", picture),
        ("ptz", ptz),
        ("presets", presets),
        ("events", events),
    ):
        await steps.wait(name, work)
    await camera.close()


asyncio.run(main())
steps.report()
