// A reverse proxy that serves the daemon under a sub-path, as sites behind one web server do.
import { createServer, request } from 'node:http';

/** Gives the address of the sub-path; the proxy goes with the test `t`. */
export async function proxyUnder(t, path, target) {
  const { hostname, port } = new URL(target);
  const onward = ({ method, url, headers }) => request({ hostname, port, method, path: url.slice(path.length), headers });
  const server = createServer((incoming, response) => {
    if (!incoming.url.startsWith(`${path}/`)) return response.writeHead(404).end();
    const outgoing = onward(incoming);
    outgoing.on('response', (answer) => answer.pipe(response.writeHead(answer.statusCode, answer.headers)));
    outgoing.on('error', () => response.destroy());
    incoming.pipe(outgoing);
  });
  server.on('upgrade', (incoming, client) => {
    if (!incoming.url.startsWith(`${path}/`)) return client.destroy();
    const outgoing = onward(incoming);
    outgoing.on('upgrade', (answer, upstream, first) => {
      const lines = answer.rawHeaders.flatMap((name, i, all) => (i % 2 === 0 ? [`${name}: ${all[i + 1]}`] : []));
      client.write(`HTTP/1.1 101 Switching Protocols\r\n${lines.join('\r\n')}\r\n\r\n`);
      client.write(first);
      upstream.pipe(client).pipe(upstream);
      for (const socket of [client, upstream]) socket.on('error', () => [client, upstream].forEach((end) => end.destroy()));
    });
    outgoing.on('response', () => client.destroy());
    outgoing.on('error', () => client.destroy());
    outgoing.end();
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${server.address().port}${path}`;
}
