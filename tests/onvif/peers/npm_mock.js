// node npm_mock.js ADDRESS PORT: the camera inside the npm package `onvif` 0.6.5 (its later versions
// lack it). Every address in its answers is 192.168.68.111, so it belongs into a network of its own.
// Says with a line of JSON that it is ready, and runs until its standard input closes.
'use strict';
require('coffeescript/register');

const [address, port] = process.argv.slice(2);
process.env.HOSTNAME = address;
process.env.PORT = port;
const mock = require('onvif-mock/test/serverMockup.coffee');

const ready = () => console.log(JSON.stringify({ device: `http://${address}:${port}/onvif/device_service` }));
if (mock.server.listening) ready();
else mock.server.once('listening', ready);
process.stdin.on('end', () => process.exit(0)).resume();
