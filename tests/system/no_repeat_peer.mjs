// SPDX-License-Identifier: MIT
// no_repeat_peer.mjs - a server that ends connections at the moments that tempt a client to repeat
//
// usage: node no_repeat_peer.mjs http|https|h2 [KEY CERT]
//
// Prints {"port":N,"control":N}. POSTs on `port` are answered in Meta's shape, but for the next one
// after GET /arm/FAULT on the control port: that one is taken and then cut off by FAULT. Should
// the client send it again, the second is answered like any other, so that the client sees one 200
// and only GET /log, the list of all POSTs that came, knows better.
import { readFileSync } from 'node:fs';
import http from 'node:http';
import http2 from 'node:http2';
import https from 'node:https';

const [protocol, key, cert] = process.argv.slice(2);
const log = [];
const sockets = new Map(); // by the peer's port; Node keeps the socket of a session out of reach
let armed = null;

const portOf = (request) => (request.stream?.session?.socket ?? request.socket).remotePort;
const socketOf = (request) => sockets.get(portOf(request));

// What is done to the request, and when: `early` at its head, else when its body is complete.
const faults = {
  h1: {
    close: { act: (r) => socketOf(r).destroy() },
    close_at_head: { early: true, act: (r) => socketOf(r).destroy() },
    reset: { act: (r) => socketOf(r).resetAndDestroy() },
    half_head: { act: (r) => r.socket.end('HTTP/1.1 200 OK\r\nContent-Ty') },
    half_body: { act: (r) => r.socket.end('HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{') },
  },
  h2: {
    close: { act: (r) => socketOf(r).destroy() },
    close_session: { act: (r) => r.stream.session.destroy() },
    refuse: { act: (r) => r.stream.close(http2.constants.NGHTTP2_REFUSED_STREAM) },
    refuse_at_head: {
      early: true, act: (r) => r.stream.close(http2.constants.NGHTTP2_REFUSED_STREAM),
    },
    cancel: { act: (r) => r.stream.close(http2.constants.NGHTTP2_CANCEL) },
    // "Only the streams before this one were processed": a client may repeat it, says RFC 9113, 6.8.
    goaway: {
      act: (r) => {
        const socket = socketOf(r);
        r.stream.session.goaway(http2.constants.NGHTTP2_NO_ERROR, r.stream.id - 2);
        setTimeout(() => socket.destroy(), 200); // time for the frame to arrive
      },
    },
  },
}[protocol === 'h2' ? 'h2' : 'h1'];

function onRequest(request, response) {
  const fault = armed === null ? null : faults[armed];
  const entry = {
    path: request.url, fault: armed, body: '', complete: false,
    connection: portOf(request),
  };
  armed = null;
  log.push(entry);
  request.on('error', () => {});
  response.on('error', () => {});
  request.stream?.on('error', () => {});
  if (fault?.early) {
    fault.act(request);
    return;
  }
  request.setEncoding('utf8');
  request.on('data', (text) => { entry.body += text; });
  request.on('end', () => {
    entry.complete = true;
    if (fault) {
      fault.act(request);
      return;
    }
    response.setHeader('Content-Type', 'application/json');
    response.end(JSON.stringify({
      messaging_product: 'whatsapp',
      contacts: [{ input: '5571990000001', wa_id: '5571990000001' }],
      messages: [{ id: `wamid.peer${log.length}` }],
    }));
  });
}

function onControl(request, response) {
  const [, verb, name] = request.url.split('/');
  if (verb === 'arm' && name in faults) {
    armed = name;
    response.end('{}');
  } else if (verb === 'log') {
    response.end(JSON.stringify(log));
  } else {
    response.writeHead(404).end();
  }
}

const tls = key && { key: readFileSync(key), cert: readFileSync(cert) };
const server = {
  http: () => http.createServer({ keepAliveTimeout: 60000 }, onRequest),
  https: () => https.createServer({ ...tls, keepAliveTimeout: 60000 }, onRequest),
  h2: () => http2.createSecureServer({ ...tls, allowHTTP1: false }, onRequest),
}[protocol]();
server.on('connection', (socket) => {
  const port = socket.remotePort;
  sockets.set(port, socket);
  socket.on('close', () => sockets.delete(port));
});
server.on('sessionError', () => {});
server.on('clientError', () => {});
server.listen(0, '127.0.0.1', () => {
  const control = http.createServer(onControl).listen(0, '127.0.0.1', () => {
    console.log(JSON.stringify({ port: server.address().port, control: control.address().port }));
  });
});
