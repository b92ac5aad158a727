// SPDX-License-Identifier: MIT
// fetch.mjs - Node's fetch, as the guides call the Cloud API with it
import { BASE_URL, NUMBER, report, TO, TOKEN } from './report.mjs';

async function sendMessage(message) {
  const response = await fetch(`${BASE_URL}/v23.0/${NUMBER}/messages`, {
    method: 'POST',
    headers: {
      Authorization: `Bearer ${TOKEN}`,
      'Content-Type': 'application/json',
    },
    body: JSON.stringify({
      messaging_product: 'whatsapp',
      recipient_type: 'individual',
      to: TO,
      ...message,
    }),
  });
  return [await response.json(), response.status];
}

await report({
  text: () => sendMessage({
    type: 'text',
    text: { preview_url: false, body: 'Olá Ana, your order #77 is ready ☕' },
  }),
  template: () => sendMessage({
    type: 'template',
    template: {
      name: 'order_shipped',
      language: { code: 'en' },
      components: [
        { type: 'body', parameters: [{ type: 'text', text: 'Ana' }, { type: 'text', text: '77' }] },
      ],
    },
  }),
  image: () => sendMessage({
    type: 'image',
    image: { link: 'https://shop.example/photos/77.jpg', caption: 'Your order' },
  }),
  document: () => sendMessage({
    type: 'document',
    document: {
      link: 'https://shop.example/invoices/77.pdf',
      caption: 'Invoice',
      filename: 'invoice-77.pdf',
    },
  }),
  buttons: () => sendMessage({
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
    type: 'interactive',
    interactive: {
      type: 'list',
      body: { text: 'When shall we come?' },
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
    type: 'location',
    location: {
      latitude: -12.9714,
      longitude: -38.5014,
      name: 'Mercado Modelo',
      address: 'Salvador, Bahia',
    },
  }),
});
