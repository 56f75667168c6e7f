"""WSDiscovery: a probe on every interface, as a device and as a service would be found."""

from wsdiscovery import QName
from wsdiscovery.discovery import ThreadedWSDiscovery

from steps import Steps

steps = Steps()
VIDEO = QName("http://www.onvif.org/ver10/network/wsdl", "NetworkVideoTransmitter")


def discover(**about):
    client = ThreadedWSDiscovery()
    client.start()
    try:
        services = client.searchServices(timeout=4, **about)
        return sorted(
            [service.getEPR(), *service.getXAddrs()] for service in services if service.getXAddrs()
        )
    finally:
        client.stop()


steps.run("discover", lambda: discover(types=[VIDEO]))
steps.run("discover_any", lambda: discover())
steps.report()
