// SPDX-License-Identifier: MIT
// The loop that the guides teach for a list: read it whole, POST each row, log what failed and go on.
// usage: WHATSAPP_TOKEN=... node bulk.mjs URL_OF_MESSAGES LIST.csv HOW
//
// HOW         as the guides write it
// batches     80 at once with Promise.all, then a second of waiting, since 80 a second are allowed
// sequential  one after the other, and 1000/80 ms of waiting after each answer
// paced       one every 1000/80 ms, without waiting for answers
// all         Promise.all over the whole list
import { readFileSync } from 'node:fs';

const [url, list, how] = process.argv.slice(2);
const token = process.env.WHATSAPP_TOKEN;
const PER_SECOND = 80;
const delay = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

function readList(path) {
  const [head, ...lines] = readFileSync(path, 'utf8').trim().split(/\r?\n/);
  const names = head.split(',');
  return lines.map((line) => Object.fromEntries(line.split(',').map((cell, i) => [names[i], cell])));
}

async function send({ phone, name, order }) {
  try {
    const response = await fetch(url, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      body: JSON.stringify({
        messaging_product: 'whatsapp',
        to: phone,
        type: 'template',
        template: {
          name: 'order_shipped',
          language: { code: 'en' },
          components: [{
            type: 'body',
            parameters: [{ type: 'text', text: name }, { type: 'text', text: order }],
          }],
        },
      }),
    });
    const answer = await response.json();
    if (!response.ok) throw new Error(`${response.status} ${answer.error.code} ${answer.error.message}`);
    console.log(`sent to ${phone}: ${answer.messages[0].id}`);
  } catch (error) {
    console.error(`failed for ${phone}: ${error.message}`);
  }
}

const loops = {
  async batches(rows) {
    for (let i = 0; i < rows.length; i += PER_SECOND) {
      await Promise.all(rows.slice(i, i + PER_SECOND).map(send));
      await delay(1000);
    }
  },
  async sequential(rows) {
    for (const row of rows) {
      await send(row);
      await delay(1000 / PER_SECOND);
    }
  },
  async paced(rows) {
    const sent = [];
    for (const row of rows) {
      sent.push(send(row));
      await delay(1000 / PER_SECOND);
    }
    await Promise.all(sent);
  },
  async all(rows) {
    await Promise.all(rows.map(send));
  },
};

await loops[how](readList(list));
