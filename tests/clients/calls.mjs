// SPDX-License-Identifier: MIT
// calls.mjs - make the calls of a list in order; one JSON line on each outcome
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';

export const { BASE_URL, TOKEN, NUMBER, WABA, APP, TO, NAME, WAMID } = process.env;
export const bytes = readFileSync(process.env.FILE); // a JPEG to the eye of nobody but the sandbox

export const sha256 = (data) => createHash('sha256').update(Buffer.from(data)).digest('hex');

// A customer of its own for each message, so that the pair rate holds nobody up.
export const to = (index) => TO.slice(0, -2) + String(10 + index);

// The template that every client creates and deletes.
export const components = [
  { type: 'BODY', text: 'Hi {{1}}, your table is booked.', example: { body_text: [['Ana']] } },
  { type: 'FOOTER', text: 'Bistro' },
];

// The code that the sandbox sent last, from its log: what a person would read from a telephone.
export const codeSent = () => [...readFileSync(process.env.SANDBOX_LOG, 'utf8').matchAll(/ is (\d{6})$/gm)].pop()[1];

// "media.upload", "phoneNumbers.settings.get": the methods of a client's parts.
export function methodsOf(client, type) {
  const names = [];
  for (const [part, object] of Object.entries(client)) {
    if (object === null || typeof object !== 'object' || Object.getPrototypeOf(object) === Object.prototype) continue;
    for (const name of Object.getOwnPropertyNames(Object.getPrototypeOf(object))) {
      if (name !== 'constructor') names.push(`${part}.${name}`);
    }
    for (const [inner, members] of Object.entries(object)) {
      if (members === null || typeof members !== 'object' || members instanceof type) continue;
      names.push(...Object.keys(members).filter((name) => typeof members[name] === 'function')
        .map((name) => `${part}.${inner}.${name}`));
    }
  }
  return names;
}

// A call resolves to what the library returned.  `methods`: what the library has; each must be in the list.
export async function calls(list, methods = []) {
  const listed = Object.keys(list).map((name) => name.replace(/\(.*/, ''));
  for (const call of methods.filter((name) => !listed.includes(name))) {
    console.log(JSON.stringify({ call, ok: false, error: 'a method of the library that is not called' }));
  }
  for (const [call, make] of Object.entries(list)) {
    const line = { call, ok: false };
    try {
      line.out = (await make()) ?? null;
      line.ok = true;
    } catch (error) {
      line.code = error?.code ?? error?.response?.data?.error?.code ?? null;
      line.error = String(error?.stack ?? error);
    }
    console.log(JSON.stringify(line));
  }
}
