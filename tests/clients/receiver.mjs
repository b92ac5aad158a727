// SPDX-License-Identifier: MIT
// receiver.mjs - a webhook endpoint made of whatsapp-api-js alone, which checks every signature
//
// Prints {"port":N}, then one JSON line for each request: what the library let through and answered.
import { webcrypto } from 'node:crypto';
import { createServer } from 'node:http';

import { WhatsAppAPI } from 'whatsapp-api-js/middleware/node-http';
import { Node18 } from 'whatsapp-api-js/setup/node';

globalThis.crypto ??= webcrypto; // the library verifies with the global one, which Node.js 18 lacks

const Whatsapp = new WhatsAppAPI(Node18({
  token: 'not used by a receiver',
  appSecret: process.env.APP_SECRET,
  webhookVerifyToken: process.env.VERIFY_TOKEN,
  v: 'v25.0',
}));

let seen = null;
Whatsapp.on.message = ({ phoneID, from, name, message }) => {
  seen = { kind: 'message', number: phoneID, from, name, message };
};
Whatsapp.on.status = ({ phoneID, phone, status, id, biz_opaque_callback_data: opaque }) => {
  seen = { kind: 'status', number: phoneID, to: phone, status, id, opaque: opaque ?? null };
};

async function answer(request, response) {
  if (request.method === 'GET') {
    try {
      response.end(Whatsapp.handle_get(request));
    } catch (status) {
      response.writeHead(status).end();
    }
    return;
  }
  seen = null;
  const status = await Whatsapp.handle_post(request);
  console.log(JSON.stringify({ answered: status, ...seen }));
  response.writeHead(status).end();
}

// One at a time, so that `seen` is the request's own.
let last = Promise.resolve();
const server = createServer((request, response) => {
  last = last.then(() => answer(request, response));
});
server.listen(0, '127.0.0.1', () => console.log(JSON.stringify({ port: server.address().port })));
