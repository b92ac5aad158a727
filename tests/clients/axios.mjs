// SPDX-License-Identifier: MIT
// axios.mjs - axios, as the guides call the Cloud API with it
import axios from 'axios';

import { BASE_URL, NUMBER, report, TO, TOKEN } from './report.mjs';

async function sendMessage(data) {
  const response = await axios({
    url: `${BASE_URL}/v21.0/${NUMBER}/messages`,
    method: 'post',
    headers: {
      Authorization: `Bearer ${TOKEN}`,
      'Content-Type': 'application/json',
    },
    data,
  });
  return [response.data, response.status];
}

await report({
  text: () => sendMessage({
    messaging_product: 'whatsapp',
    to: TO,
    type: 'text',
    text: { body: 'Olá Ana, your order #77 is ready ☕' },
  }),
  template: () => sendMessage({
    messaging_product: 'whatsapp',
    to: TO,
    type: 'template',
    template: {
      name: 'order_shipped',
      language: { code: 'en' },
      components: [
        { type: 'body', parameters: [{ type: 'text', text: 'Ana' }, { type: 'text', text: '77' }] },
      ],
    },
  }),
  // A JSON text made by hand, as some guides have it, goes out as it is.
  image: () => sendMessage(JSON.stringify({
    messaging_product: 'whatsapp',
    recipient_type: 'individual',
    to: TO,
    type: 'image',
    image: { link: 'https://shop.example/photos/77.jpg', caption: 'Your order' },
  }, null, 2)),
  document: () => sendMessage({
    messaging_product: 'whatsapp',
    to: TO,
    type: 'document',
    document: {
      link: 'https://shop.example/invoices/77.pdf',
      caption: 'Invoice',
      filename: 'invoice-77.pdf',
    },
  }),
  buttons: () => sendMessage({
    messaging_product: 'whatsapp',
    to: TO,
    type: 'interactive',
    interactive: {
      type: 'button',
      body: { text: 'Shall we deliver today?' },
      action: {
        buttons: [
          { type: 'reply', reply: { id: 'yes', title: 'Yes' } },
          { type: 'reply', reply: { id: 'no', title: 'Not today' } },
        ],
      },
    },
  }),
  list: () => sendMessage({
    messaging_product: 'whatsapp',
    to: TO,
    type: 'interactive',
    interactive: {
      type: 'list',
      header: { type: 'text', text: 'Delivery' },
      body: { text: 'When shall we come?' },
      footer: { text: 'Times are local' },
      action: {
        button: 'Pick a time',
        sections: [
          {
            title: 'Today',
            rows: [
              { id: 't1', title: '09:00', description: 'Morning' },
              { id: 't2', title: '17:00', description: 'Evening' },
            ],
          },
        ],
      },
    },
  }),
  location: () => sendMessage({
    messaging_product: 'whatsapp',
    to: TO,
    type: 'location',
    location: {
      latitude: '-12.9714',
      longitude: '-38.5014',
      name: 'Mercado Modelo',
      address: 'Salvador, Bahia',
    },
  }),
});
