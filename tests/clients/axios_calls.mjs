// SPDX-License-Identifier: MIT
// axios_calls.mjs - axios: everything of the Cloud API that guides do besides messages
import axios from 'axios';
import FormData from 'form-data';

import {
  BASE_URL, bytes, calls, components, NAME, NUMBER, sha256, to, TO, TOKEN, WABA, WAMID,
} from './calls.mjs';

const api = axios.create({
  baseURL: `${BASE_URL}/v21.0/`,
  headers: { Authorization: `Bearer ${TOKEN}` },
});
const data = (response) => response.data;
const product = { messaging_product: 'whatsapp' };
let medium, code;

await calls({
  media_upload: async () => {
    const form = new FormData(); // of the package form-data, which streams
    form.append('file', bytes, { filename: 'photo.jpg', contentType: 'image/jpeg' });
    form.append('type', 'image/jpeg');
    form.append('messaging_product', 'whatsapp');
    const answer = data(await api.post(`${NUMBER}/media`, form, { headers: form.getHeaders() }));
    medium = answer.id;
    return answer;
  },
  media_get: async () => data(await api.get(medium, { params: { phone_number_id: NUMBER } })),
  media_download: async () => {
    const { url } = data(await api.get(medium));
    const response = await axios.get(url, {
      headers: { Authorization: `Bearer ${TOKEN}` }, responseType: 'arraybuffer',
    });
    return { type: response.headers['content-type'], sha256: sha256(response.data) };
  },
  media_send: async () => data(await api.post(`${NUMBER}/messages`, {
    ...product, to: to(1), type: 'image', image: { id: medium, caption: 'Your table' },
  })),
  media_delete: async () => data(await api.delete(medium)),
  templates_list: async () => {
    const names = [];
    let links = 0;
    let page = data(await api.get(`${WABA}/message_templates`, { params: { fields: 'name,status', limit: 2 } }));
    for (;;) {
      names.push(...page.data.map((template) => template.name));
      if (!page.paging?.next) return { names, links };
      page = data(await axios.get(page.paging.next));
      links += 1;
    }
  },
  template_create: async () => data(await api.post(`${WABA}/message_templates`, {
    name: NAME, language: 'en', category: 'UTILITY', components,
  })),
  template_find: async () => data(await api.get(`${WABA}/message_templates`, { params: { name: NAME } })),
  template_delete: async () => data(await api.delete(`${WABA}/message_templates`, { params: { name: NAME } })),
  profile_set: async () => data(await api.post(`${NUMBER}/whatsapp_business_profile`, {
    ...product, about: NAME, websites: ['https://shop.example'], vertical: 'RESTAURANT',
  })),
  profile_get: async () => data(await api.get(`${NUMBER}/whatsapp_business_profile`, {
    params: { fields: 'about,websites,vertical' },
  })),
  qr_create: async () => {
    const answer = data(await api.post(`${NUMBER}/message_qrdls`, {
      prefilled_message: NAME, generate_qr_image: 'SVG',
    }));
    code = answer.code;
    return answer;
  },
  qr_list: async () => {
    const list = data(await api.get(`${NUMBER}/message_qrdls`)).data;
    return { data: list.filter((qr) => qr.code === code) };
  },
  qr_get: async () => data(await api.get(`${NUMBER}/message_qrdls/${code}`)),
  qr_update: async () => data(await api.post(`${NUMBER}/message_qrdls`, {
    code, prefilled_message: `${NAME} 2`,
  })),
  qr_delete: async () => data(await api.delete(`${NUMBER}/message_qrdls/${code}`)),
  block_add: async () => data(await api.post(`${NUMBER}/block_users`, {
    ...product, block_users: [{ user: TO }],
  })),
  block_list: async () => data(await api.get(`${NUMBER}/block_users`)),
  block_remove: async () => data(await api.delete(`${NUMBER}/block_users`, {
    data: { ...product, block_users: [{ user: TO }] },
  })),
  number_get: async () => data(await api.get(NUMBER, {
    params: { fields: 'id,display_phone_number,status,quality_rating' },
  })),
  numbers_list: async () => data(await api.get(`${WABA}/phone_numbers`)),
  account_get: async () => data(await api.get(WABA, { params: { fields: 'id,name' } })),
  subscribed_apps: async () => data(await api.get(`${WABA}/subscribed_apps`)),
  mark_read: async () => data(await api.post(`${NUMBER}/messages`, {
    ...product, status: 'read', message_id: WAMID,
  })),
  typing: async () => data(await api.post(`${NUMBER}/messages`, {
    ...product, status: 'read', message_id: WAMID, typing_indicator: { type: 'text' },
  })),
});
