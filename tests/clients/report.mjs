// SPDX-License-Identifier: MIT
// report.mjs - run one sender for each kind of message, in order; one JSON line on each outcome

export const { BASE_URL, TOKEN, NUMBER, TO } = process.env;

// A sender resolves to [what the library returned, the HTTP status where it tells one].
export async function report(senders) {
  for (const [name, send] of Object.entries(senders)) {
    const line = { case: name, ok: false, id: null, status: null };
    try {
      const [answer, status] = await send();
      line.status = status ?? null;
      line.id = answer?.messages?.[0]?.id ?? null;
      line.input = answer?.contacts?.[0]?.input ?? null;
      line.ok = line.id !== null;
      if (!line.ok) line.error = JSON.stringify(answer);
    } catch (error) {
      line.error = String(error?.stack ?? error);
    }
    console.log(JSON.stringify(line));
  }
}
