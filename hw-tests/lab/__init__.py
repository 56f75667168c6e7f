"""What stands around the box: a camera, a DHCP server, a time server, a web server, another host."""
