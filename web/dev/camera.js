// The mock's WebRTC camera: a moving canvas, one peer connection per viewer.
const canvas = document.getElementById('picture');
const pen = canvas.getContext('2d');
let frame = 0;
setInterval(() => {
  frame++;
  pen.fillStyle = `hsl(${frame % 360} 60% 40%)`;
  pen.fillRect(0, 0, 640, 360);
  pen.fillStyle = '#fff';
  pen.font = '48px sans-serif';
  pen.fillText(`WebRTC ${frame}`, 40 + (frame % 200), 190);
}, 40);

const stream = canvas.captureStream(25);
const peers = new Map();
const socket = new WebSocket(`ws://${location.host}/dev/camera`);
const send = (viewer, message) => socket.send(JSON.stringify({ viewer, ...message }));

async function offer(viewer) {
  const peer = new RTCPeerConnection();
  peers.set(viewer, peer);
  for (const track of stream.getTracks()) peer.addTransceiver(track, { direction: 'sendonly', streams: [stream] });
  peer.onicecandidate = ({ candidate }) => candidate && send(viewer, { type: 'remoteice', ...candidate.toJSON() });
  const description = await peer.createOffer();
  send(viewer, { type: 'iceserver', iceServers: [], iceTransportPolicy: 'all' });
  send(viewer, { type: 'offer', sdp: description.sdp });
  await peer.setLocalDescription(description);
}

socket.onmessage = async ({ data }) => {
  const message = JSON.parse(data);
  const peer = peers.get(message.viewer);
  if (message.type === 'open') await offer(message.viewer);
  else if (message.type === 'answer') await peer.setRemoteDescription(message);
  else if ('candidate' in message) await peer.addIceCandidate(message);
  else if (message.type === 'bye') peer?.close();
};
