// SPDX-License-Identifier: MIT
// whatsapp_api_js_calls.mjs - whatsapp-api-js: every method that calls Graph, as its README has it
import { webcrypto } from 'node:crypto';

import { WhatsAppAPI } from 'whatsapp-api-js';
import {
  ActionButtons, ActionCTA, ActionList, Audio, Body, Button, Contacts, Document, Image, Interactive, ListSection,
  Location, Name, Phone, Reaction, Row, Sticker, Template, Text, Video,
} from 'whatsapp-api-js/messages';

import { BASE_URL, bytes, calls, NAME, NUMBER, sha256, to, TO, TOKEN, WAMID } from './calls.mjs';

const Whatsapp = new WhatsAppAPI({
  token: TOKEN,
  appSecret: 'not used by a sender',
  v: 'v25.0',
  ponyfill: {
    // A link of Meta's storage goes out as it is.
    fetch: (url, options) => fetch(String(url).replace('https://graph.facebook.com', BASE_URL), options),
    subtle: webcrypto.subtle, // Node.js 18 has no global crypto
  },
});

const link = (name) => `https://shop.example/${name}`;
let index = 0;
let medium, code;

// The library returns Meta's error as it returns an answer.
async function said(promise) {
  const answer = await promise;
  if (answer?.error) throw Object.assign(new Error(JSON.stringify(answer)), { code: answer.error.code });
  return answer;
}
const send = (message) => said(Whatsapp.sendMessage(NUMBER, to(index++), message));

await calls({
  'sendMessage(Text)': () => send(new Text('Hi', true)),
  'sendMessage(Image)': () => send(new Image(link('a.jpg'), false, 'A')),
  'sendMessage(Audio)': () => send(new Audio(link('a.ogg'), false)),
  'sendMessage(Document)': () => send(new Document(link('a.pdf'), false, 'A', 'a.pdf')),
  'sendMessage(Video)': () => send(new Video(link('a.mp4'), false, 'A')),
  'sendMessage(Sticker)': () => send(new Sticker(link('a.webp'), false)),
  'sendMessage(Location)': () => send(new Location(-38.5, -12.97, 'Mercado', 'Salvador')),
  'sendMessage(Contacts)': () => send(new Contacts([new Name('Ana B', 'Ana'), new Phone('+557133330000', 'WORK')])),
  'sendMessage(Reaction)': () => send(new Reaction(WAMID, '👍')),
  'sendMessage(Template)': () => send(new Template('hello_world', 'en_US')),
  'sendMessage(ActionButtons)': () => send(new Interactive(
    new ActionButtons(new Button('yes', 'Yes'), new Button('no', 'No')), new Body('Today?'))),
  'sendMessage(ActionList)': () => send(new Interactive(
    new ActionList('Pick', new ListSection('Today', new Row('a', '9:00', 'Early'))), new Body('When?'))),
  'sendMessage(ActionCTA)': () => send(new Interactive(new ActionCTA('Open', link('t/77')), new Body('Track it'))),
  broadcastMessage: async () => ({
    messages: (await Promise.all(Whatsapp.broadcastMessage(NUMBER, [to(index++), to(index++)], new Text('All'))))
      .map((answer) => answer.messages[0]),
  }),
  markAsRead: () => said(Whatsapp.markAsRead(NUMBER, WAMID)),
  'markAsRead(text)': () => said(Whatsapp.markAsRead(NUMBER, WAMID, 'text')),
  createQR: async () => {
    const answer = await said(Whatsapp.createQR(NUMBER, NAME, 'svg'));
    code = answer.code;
    return answer;
  },
  retrieveQR: async () => ({
    data: (await said(Whatsapp.retrieveQR(NUMBER))).data.filter((qr) => qr.code === code),
  }),
  'retrieveQR(id)': () => said(Whatsapp.retrieveQR(NUMBER, code)),
  updateQR: () => said(Whatsapp.updateQR(NUMBER, code, `${NAME} 2`)),
  deleteQR: () => said(Whatsapp.deleteQR(NUMBER, code)),
  uploadMedia: async () => {
    const form = new FormData();
    form.set('file', new Blob([bytes], { type: 'image/jpeg' }), 'photo.jpg');
    const answer = await said(Whatsapp.uploadMedia(NUMBER, form));
    medium = answer.id;
    return answer;
  },
  retrieveMedia: () => said(Whatsapp.retrieveMedia(medium, NUMBER)),
  fetchMedia: async () => {
    const { url } = await said(Whatsapp.retrieveMedia(medium));
    const response = await Whatsapp.fetchMedia(url);
    return { type: response.headers.get('content-type'), sha256: sha256(await response.arrayBuffer()) };
  },
  deleteMedia: () => said(Whatsapp.deleteMedia(medium, NUMBER)),
  blockUser: () => said(Whatsapp.blockUser(NUMBER, TO)),
  unblockUser: () => said(Whatsapp.unblockUser(NUMBER, TO)),
  initiateCall: () => said(Whatsapp.initiateCall(NUMBER, TO, 'v=0')),
  preacceptCall: () => said(Whatsapp.preacceptCall(NUMBER, 'wacid.1', 'v=0')),
  acceptCall: () => said(Whatsapp.acceptCall(NUMBER, 'wacid.1', 'v=0')),
  rejectCall: () => said(Whatsapp.rejectCall(NUMBER, 'wacid.1')),
  terminateCall: () => said(Whatsapp.terminateCall(NUMBER, 'wacid.1')),
}, Object.getOwnPropertyNames(WhatsAppAPI.prototype)
  // those of a receiver (tests/clients/receiver.mjs), and what the others are made of
  .filter((name) => !['constructor', 'post', 'get', 'verifyRequestSignature', 'getBody', '$$apiFetch$$']
    .includes(name)));
