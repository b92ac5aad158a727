// SPDX-License-Identifier: MIT
// kapso.mjs - @kapso/whatsapp-cloud-api, each call as its README has it
import { buildTemplateSendPayload, WhatsAppClient } from '@kapso/whatsapp-cloud-api';

import { BASE_URL, NUMBER, report, TO, TOKEN } from './report.mjs';

const client = new WhatsAppClient({ baseUrl: BASE_URL, accessToken: TOKEN });

await report({
  text: async () => [await client.messages.sendText({
    phoneNumberId: NUMBER,
    to: TO,
    body: 'Olá Ana, your order #77 is ready ☕',
  })],
  template: async () => [await client.messages.sendTemplate({
    phoneNumberId: NUMBER,
    to: TO,
    template: buildTemplateSendPayload({
      name: 'order_shipped',
      language: 'en',
      body: [{ type: 'text', text: 'Ana' }, { type: 'text', text: '77' }],
    }),
  })],
  image: async () => [await client.messages.sendImage({
    phoneNumberId: NUMBER,
    to: TO,
    image: { link: 'https://shop.example/photos/77.jpg', caption: 'Your order' },
  })],
  document: async () => [await client.messages.sendDocument({
    phoneNumberId: NUMBER,
    to: TO,
    document: {
      link: 'https://shop.example/invoices/77.pdf',
      filename: 'invoice-77.pdf',
      caption: 'Invoice',
    },
  })],
  buttons: async () => [await client.messages.sendInteractiveButtons({
    phoneNumberId: NUMBER,
    to: TO,
    bodyText: 'Shall we deliver today?',
    buttons: [{ id: 'yes', title: 'Yes' }, { id: 'no', title: 'Not today' }],
  })],
  list: async () => [await client.messages.sendInteractiveList({
    phoneNumberId: NUMBER,
    to: TO,
    bodyText: 'When shall we come?',
    buttonText: 'Pick a time',
    sections: [
      {
        title: 'Today',
        rows: [
          { id: 't1', title: '09:00', description: 'Morning' },
          { id: 't2', title: '17:00', description: 'Evening' },
        ],
      },
    ],
  })],
  location: async () => [await client.messages.sendLocation({
    phoneNumberId: NUMBER,
    to: TO,
    location: {
      latitude: -12.9714,
      longitude: -38.5014,
      name: 'Mercado Modelo',
      address: 'Salvador, Bahia',
    },
  })],
});
