// SPDX-License-Identifier: MIT
// fetch_calls.mjs - Node's fetch: everything of the Cloud API that guides do besides messages
import {
  BASE_URL, bytes, calls, components, NAME, NUMBER, sha256, to, TO, TOKEN, WABA, WAMID,
} from './calls.mjs';

const authorization = { Authorization: `Bearer ${TOKEN}` };

async function read(response) {
  const answer = await response.json();
  if (!response.ok) throw Object.assign(new Error(JSON.stringify(answer)), { code: answer.error?.code });
  return answer;
}

async function graph(method, path, body) {
  return read(await fetch(`${BASE_URL}/v24.0/${path}`, {
    method,
    headers: body === undefined ? authorization : { ...authorization, 'Content-Type': 'application/json' },
    body: body === undefined ? undefined : JSON.stringify(body),
  }));
}

const product = { messaging_product: 'whatsapp' };
let medium, code;

await calls({
  media_upload: async () => {
    const form = new FormData();
    form.append('messaging_product', 'whatsapp');
    form.append('type', 'image/jpeg');
    form.append('file', new Blob([bytes], { type: 'image/jpeg' }), 'photo.jpg');
    const answer = await read(await fetch(`${BASE_URL}/v24.0/${NUMBER}/media`, {
      method: 'POST', headers: authorization, body: form,
    }));
    medium = answer.id;
    return answer;
  },
  media_get: () => graph('GET', `${medium}?phone_number_id=${NUMBER}`),
  media_download: async () => {
    const { url } = await graph('GET', medium);
    const response = await fetch(url, { headers: authorization });
    return { type: response.headers.get('content-type'), sha256: sha256(await response.arrayBuffer()) };
  },
  media_send: () => graph('POST', `${NUMBER}/messages`, {
    ...product, to: to(1), type: 'image', image: { id: medium, caption: 'Your table' },
  }),
  media_delete: () => graph('DELETE', medium),
  templates_list: async () => {
    const names = [];
    let links = 0;
    let page = await graph('GET', `${WABA}/message_templates?fields=name,status&limit=2`);
    for (;;) {
      names.push(...page.data.map((template) => template.name));
      if (!page.paging?.next) return { names, links };
      page = await read(await fetch(page.paging.next)); // the link alone, as guides have it
      links += 1;
    }
  },
  template_create: () => graph('POST', `${WABA}/message_templates`, {
    name: NAME, language: 'en', category: 'UTILITY', components,
  }),
  template_find: () => graph('GET', `${WABA}/message_templates?name=${NAME}`),
  template_delete: () => graph('DELETE', `${WABA}/message_templates?name=${NAME}`),
  profile_set: () => graph('POST', `${NUMBER}/whatsapp_business_profile`, {
    ...product, about: NAME, websites: ['https://shop.example'], vertical: 'RESTAURANT',
  }),
  profile_get: () => graph('GET',
    `${NUMBER}/whatsapp_business_profile?fields=about,websites,vertical`),
  qr_create: async () => {
    const answer = await graph('POST', `${NUMBER}/message_qrdls`, {
      prefilled_message: NAME, generate_qr_image: 'SVG',
    });
    code = answer.code;
    return answer;
  },
  qr_list: async () => {
    const { data } = await graph('GET', `${NUMBER}/message_qrdls`);
    return { data: data.filter((qr) => qr.code === code) };
  },
  qr_get: () => graph('GET', `${NUMBER}/message_qrdls/${code}`),
  qr_update: () => graph('POST', `${NUMBER}/message_qrdls`, { code, prefilled_message: `${NAME} 2` }),
  qr_delete: () => graph('DELETE', `${NUMBER}/message_qrdls/${code}`),
  block_add: () => graph('POST', `${NUMBER}/block_users`, { ...product, block_users: [{ user: TO }] }),
  block_list: () => graph('GET', `${NUMBER}/block_users`),
  block_remove: () => graph('DELETE', `${NUMBER}/block_users`, { ...product, block_users: [{ user: TO }] }),
  number_get: () => graph('GET', `${NUMBER}?fields=id,display_phone_number,status,quality_rating`),
  numbers_list: () => graph('GET', `${WABA}/phone_numbers`),
  account_get: () => graph('GET', `${WABA}?fields=id,name`),
  subscribed_apps: () => graph('GET', `${WABA}/subscribed_apps`),
  mark_read: () => graph('POST', `${NUMBER}/messages`, { ...product, status: 'read', message_id: WAMID }),
  typing: () => graph('POST', `${NUMBER}/messages`, {
    ...product, status: 'read', message_id: WAMID, typing_indicator: { type: 'text' },
  }),
});
