// SPDX-License-Identifier: MIT
// whatsapp_api_js.mjs - whatsapp-api-js, whose base URL is fixed: its `ponyfill` option exchanges it
import { webcrypto } from 'node:crypto';

import { WhatsAppAPI } from 'whatsapp-api-js';
import {
  ActionButtons, ActionList, Body, BodyComponent, BodyParameter, Button, Document, Image,
  Interactive, ListSection, Location, Row, Template, Text,
} from 'whatsapp-api-js/messages';

import { BASE_URL, NUMBER, report, TO, TOKEN } from './report.mjs';

const Whatsapp = new WhatsAppAPI({
  token: TOKEN,
  appSecret: 'not used by a sender',
  v: 'v25.0',
  ponyfill: {
    fetch: (url, options) => fetch(url.replace('https://graph.facebook.com', BASE_URL), options),
    subtle: webcrypto.subtle, // Node.js 18 has no global crypto
  },
});

const send = async (message) => [await Whatsapp.sendMessage(NUMBER, TO, message)];

await report({
  text: () => send(new Text('Olá Ana, your order #77 is ready ☕')),
  template: () => send(new Template('order_shipped', 'en',
    new BodyComponent(new BodyParameter('Ana'), new BodyParameter('77')))),
  image: () => send(new Image('https://shop.example/photos/77.jpg', false, 'Your order')),
  document: () => send(new Document('https://shop.example/invoices/77.pdf', false, 'Invoice',
    'invoice-77.pdf')),
  buttons: () => send(new Interactive(
    new ActionButtons(new Button('yes', 'Yes'), new Button('no', 'Not today')),
    new Body('Shall we deliver today?'))),
  list: () => send(new Interactive(
    new ActionList('Pick a time', new ListSection('Today',
      new Row('t1', '09:00', 'Morning'), new Row('t2', '17:00', 'Evening'))),
    new Body('When shall we come?'))),
  location: () => send(new Location(-38.5014, -12.9714, 'Mercado Modelo', 'Salvador, Bahia')),
});
