// SPDX-License-Identifier: MIT
// kapso_calls.mjs - @kapso/whatsapp-cloud-api: every method that it has, as its README has it
import { WhatsAppClient } from '@kapso/whatsapp-cloud-api';

import {
  BASE_URL, bytes, calls, codeSent, components, methodsOf, NAME, NUMBER, sha256, to, TOKEN, WABA, WAMID,
} from './calls.mjs';

const client = new WhatsAppClient({ baseUrl: BASE_URL, accessToken: TOKEN });
const phoneNumberId = NUMBER;
const link = (name) => `https://shop.example/${name}`;
let index = 0;
const next = () => ({ phoneNumberId, to: to(index++) });
const { messages, media, templates, phoneNumbers } = client;
const session = { sdpType: 'offer', sdp: 'v=0' };
const flowJson = { version: '7.0', screens: [] };
let medium;

await calls({
  'messages.sendText': () => messages.sendText({ ...next(), body: 'Hi', previewUrl: true }),
  'messages.sendImage': () => messages.sendImage({ ...next(), image: { link: link('a.jpg'), caption: 'A' } }),
  'messages.sendAudio': () => messages.sendAudio({ ...next(), audio: { link: link('a.ogg'), voice: true } }),
  'messages.sendDocument': () => messages.sendDocument({
    ...next(), document: { link: link('a.pdf'), filename: 'a.pdf' },
  }),
  'messages.sendVideo': () => messages.sendVideo({ ...next(), video: { link: link('a.mp4'), caption: 'A' } }),
  'messages.sendSticker': () => messages.sendSticker({ ...next(), sticker: { link: link('a.webp') } }),
  'messages.sendLocation': () => messages.sendLocation({
    ...next(), location: { latitude: -12.97, longitude: -38.5, name: 'Mercado', address: 'Salvador' },
  }),
  'messages.sendContacts': () => messages.sendContacts({
    ...next(),
    contacts: [{
      name: { formattedName: 'Ana B', firstName: 'Ana' }, phones: [{ phone: '+557133330000', type: 'WORK' }],
    }],
  }),
  'messages.sendTemplate': () => messages.sendTemplate({
    ...next(), template: { name: 'hello_world', language: { code: 'en_US' } },
  }),
  'messages.sendReaction': () => messages.sendReaction({ ...next(), reaction: { messageId: WAMID, emoji: '👍' } }),
  'messages.sendInteractiveButtons': () => messages.sendInteractiveButtons({
    ...next(), bodyText: 'Today?', buttons: [{ id: 'yes', title: 'Yes' }, { id: 'no', title: 'No' }],
  }),
  'messages.sendInteractiveList': () => messages.sendInteractiveList({
    ...next(), bodyText: 'When?', buttonText: 'Pick', sections: [{ title: 'Today', rows: [{ id: 'a', title: '9' }] }],
  }),
  'messages.sendInteractiveProduct': () => messages.sendInteractiveProduct({
    ...next(), bodyText: 'This one', catalogId: '9', productRetailerId: 'SKU1',
  }),
  'messages.sendInteractiveProductList': () => messages.sendInteractiveProductList({
    ...next(),
    bodyText: 'These',
    header: { type: 'text', text: 'Today' },
    catalogId: '9',
    sections: [{ title: 'A', productItems: [{ productRetailerId: 'SKU1' }] }],
  }),
  'messages.sendInteractiveFlow': () => messages.sendInteractiveFlow({
    ...next(),
    bodyText: 'Book',
    parameters: {
      flowId: '1', flowCta: 'Book', flowMessageVersion: '3', flowToken: 't', flowAction: 'navigate',
      flowActionPayload: { screen: 'FIRST', data: { a: 'b' } },
    },
  }),
  'messages.sendInteractiveAddress': () => messages.sendInteractiveAddress({
    ...next(), bodyText: 'Where to?', parameters: { country: 'IN', values: { name: 'Ana' } },
  }),
  'messages.sendInteractiveLocationRequest': () => messages.sendInteractiveLocationRequest({
    ...next(), bodyText: 'Where are you?', parameters: { requestMessage: 'Where are you?' },
  }),
  'messages.sendInteractiveCallPermission': () => messages.sendInteractiveCallPermission({
    ...next(), bodyText: 'May we call?', parameters: { phoneNumber: '+15550783881' },
  }),
  'messages.sendInteractiveCtaUrl': () => messages.sendInteractiveCtaUrl({
    ...next(), bodyText: 'Track it', parameters: { displayText: 'Open', url: link('t/77') },
  }),
  'messages.sendInteractiveCarousel': () => messages.sendInteractiveCarousel({
    ...next(),
    bodyText: 'Two',
    cards: [0, 1].map((cardIndex) => ({
      cardIndex,
      header: { type: 'image', image: { link: link(`${cardIndex}.jpg`) } },
      bodyText: 'One',
      action: { displayText: 'Open', url: link(String(cardIndex)) },
    })),
  }),
  'messages.sendInteractiveCatalogMessage': () => messages.sendInteractiveCatalogMessage({
    ...next(), bodyText: 'Our catalogue', parameters: { thumbnailProductRetailerId: 'SKU1' },
  }),
  'messages.sendInteractiveRaw': () => messages.sendInteractiveRaw({
    ...next(),
    interactive: {
      type: 'button', body: { text: 'Raw?' }, action: { buttons: [{ type: 'reply', reply: { id: 'a', title: 'A' } }] },
    },
  }),
  'messages.sendRaw': () => messages.sendRaw({
    phoneNumberId,
    payload: { messagingProduct: 'whatsapp', to: next().to, type: 'text', text: { body: 'Raw' } },
  }),
  'messages.markRead': () => messages.markRead({
    phoneNumberId, messageId: WAMID, typingIndicator: { type: 'text' },
  }),
  'messages.query': () => messages.query({ phoneNumberId }),
  'messages.get': () => messages.get({ phoneNumberId, messageId: WAMID }),
  'messages.listByConversation': () => messages.listByConversation({ phoneNumberId, conversationId: 'c' }),

  'media.upload': async () => {
    const answer = await media.upload({
      phoneNumberId, type: 'image/jpeg', file: new Blob([bytes], { type: 'image/jpeg' }), fileName: 'photo.jpg',
    });
    medium = answer.id;
    return answer;
  },
  'media.get': () => media.get({ mediaId: medium, phoneNumberId }),
  'media.download': async () => {
    // Left to itself it sends the token to its maker's host alone; Meta's storage wants it, too.
    const response = await media.download({ mediaId: medium, phoneNumberId, as: 'response', auth: 'always' });
    return { type: response.headers.get('content-type'), sha256: sha256(await response.arrayBuffer()) };
  },
  'media.delete': () => media.delete({ mediaId: medium, phoneNumberId }),

  'templates.list': async () => {
    const names = [];
    let links = 0;
    let page = await templates.list({ businessAccountId: WABA, limit: 2 });
    for (;;) {
      names.push(...page.data.map((template) => template.name));
      if (!page.paging?.next) return { names, links };
      page = await templates.list({ businessAccountId: WABA, limit: 2, after: page.paging.cursors.after });
      links += 1;
    }
  },
  'templates.create': () => templates.create({
    businessAccountId: WABA, name: NAME, language: 'en', category: 'UTILITY', components,
  }),
  'templates.get': () => templates.get({ businessAccountId: WABA, templateId: NAME }),
  'templates.delete': () => templates.delete({ businessAccountId: WABA, name: NAME }),

  'phoneNumbers.businessProfile.update': () => phoneNumbers.businessProfile.update({
    phoneNumberId, about: NAME, websites: ['https://shop.example'], vertical: 'RESTAURANT',
  }),
  'phoneNumbers.businessProfile.get': () => phoneNumbers.businessProfile.get({
    phoneNumberId, fields: 'about,websites,vertical',
  }),
  'phoneNumbers.settings.update': () => phoneNumbers.settings.update({
    phoneNumberId, calling: { status: 'ENABLED' },
  }),
  'phoneNumbers.settings.get': () => phoneNumbers.settings.get({ phoneNumberId }),
  'phoneNumbers.requestCode': () => phoneNumbers.requestCode({ phoneNumberId, codeMethod: 'SMS', language: 'en_US' }),
  'phoneNumbers.verifyCode': () => phoneNumbers.verifyCode({ phoneNumberId, code: codeSent() }),
  'phoneNumbers.deregister': () => phoneNumbers.deregister({ phoneNumberId }),
  'phoneNumbers.register': () => phoneNumbers.register({ phoneNumberId, pin: '123456' }),

  'calls.connect': () => client.calls.connect({ ...next(), session }),
  'calls.preAccept': () => client.calls.preAccept({ phoneNumberId, callId: 'wacid.1', session }),
  'calls.accept': () => client.calls.accept({ phoneNumberId, callId: 'wacid.1', session }),
  'calls.reject': () => client.calls.reject({ phoneNumberId, callId: 'wacid.1' }),
  'calls.terminate': () => client.calls.terminate({ phoneNumberId, callId: 'wacid.1' }),
  'calls.permissions.get': () => client.calls.permissions.get({ phoneNumberId, userWaId: '557199' }),
  'calls.list': () => client.calls.list({ phoneNumberId }),
  'calls.get': () => client.calls.get({ phoneNumberId, callId: 'wacid.1' }),

  'conversations.list': () => client.conversations.list({ phoneNumberId }),
  'conversations.get': () => client.conversations.get({ conversationId: 'c' }),
  'conversations.updateStatus': () => client.conversations.updateStatus({ conversationId: 'c', status: 'ended' }),
  'contacts.list': () => client.contacts.list({ phoneNumberId }),
  'contacts.get': () => client.contacts.get({ phoneNumberId, waId: '557199' }),
  'contacts.update': () => client.contacts.update({ phoneNumberId, waId: '557199', metadata: {} }),

  'flows.create': () => client.flows.create({ wabaId: WABA, name: NAME, flowJson }),
  'flows.updateAsset': () => client.flows.updateAsset({ flowId: '1', json: flowJson }),
  'flows.publish': () => client.flows.publish({ flowId: '1' }),
  'flows.deprecate': () => client.flows.deprecate({ flowId: '1' }),
  'flows.preview': () => client.flows.preview({ flowId: '1' }),
  'flows.get': () => client.flows.get({ flowId: '1' }),
  'flows.list': () => client.flows.list({ wabaId: WABA }),
  'flows.deploy': () => client.flows.deploy(flowJson, { name: NAME, wabaId: WABA }),

  request: () => client.request('GET', NUMBER, { query: { fields: 'id,display_phone_number' }, responseType: 'json' }),
  fetch: async () => (await client.fetch(`${BASE_URL}/v23.0/${WABA}?fields=id,name`)).json(),
  rawFetch: async () => (
    await client.rawFetch(`${BASE_URL}/v23.0/${WABA}/subscribed_apps?access_token=${TOKEN}`)).json(),
}, [...methodsOf(client, WhatsAppClient), 'request', 'fetch', 'rawFetch']
  .filter((name) => !['flows.__setLastDeployedHash', 'flows.buildCacheKey'].includes(name))); // no calls
