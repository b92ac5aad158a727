// SPDX-License-Identifier: MIT
// The receiver that the guides teach: Express, raw body for the HMAC, 200 first, then forward.
// usage: node server.mjs PORT FORWARD_URL APP_SECRET_FILE
import { createHmac, timingSafeEqual } from 'node:crypto';
import { readFileSync } from 'node:fs';
import express from 'express';

const [port, forward, secretFile] = process.argv.slice(2);
const secret = readFileSync(secretFile, 'utf8').trim();
const app = express();

app.use(express.json({ limit: '4mb', verify: (req, _res, raw) => { req.raw = raw; } }));

app.post('/webhook', async (req, res) => {
  const want = Buffer.from('sha256=' + createHmac('sha256', secret).update(req.raw).digest('hex'));
  const got = Buffer.from(req.get('x-hub-signature-256') ?? '');
  if (want.length !== got.length || !timingSafeEqual(want, got)) {
    res.sendStatus(401);
    return;
  }
  res.sendStatus(200);
  try {
    const answer = await fetch(forward, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(req.body),
    });
    await answer.arrayBuffer();
  } catch (error) {
    console.error('forwarding failed:', error.message);
  }
});

app.listen(Number(port), '127.0.0.1', () => console.log('ready'));
