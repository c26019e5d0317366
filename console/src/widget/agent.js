// SPDX-License-Identifier: Apache-2.0
//
// Requests on a widget's behalf. They carry a token of its extension and the reader, never the console's session: cookies are left out of every
// one. The token is renewed before it ends, and once more when the server no longer takes it.
import { call } from '../api.js';

const EARLY_S = 60;

/** A call that was refused; `data` is what the widget is told. */
export class Refusal extends Error {
  constructor(data) {
    super(data?.message ?? data?.error?.errorMessage ?? 'refused');
    this.data = data;
  }
}

export const refuse = (code, message) => {
  throw new Refusal({ code, details: {}, message, status: 'error' });
};

const isFilled = (value) => value !== undefined && value !== null && value !== '';
const asText = (value) => (typeof value === 'object' ? JSON.stringify(value) : String(value));

/** {a: 1, b: {…}} as text fields; what is not filled is left out. */
export function fieldsOf(values) {
  const fields = new URLSearchParams();
  for (const [name, value] of Object.entries(values ?? {})) {
    if (isFilled(value)) {
      fields.append(name, asText(value));
    }
  }
  return fields;
}

async function readBody(reply, how) {
  if (how === 'blob' || how === 'arraybuffer') {
    return how === 'blob' ? reply.blob() : reply.arrayBuffer();
  }
  const text = await reply.text();
  try {
    return how === 'text' || text === '' ? text : JSON.parse(text);
  } catch {
    return text;
  }
}

/**
 * @param {{namespace: string, widget: string, sandbox: boolean}} options
 * @returns {Promise<{url: string, send: Function, rest: Function, ask: Function}>} url: the widget's page
 */
export async function makeAgent({ namespace, widget, sandbox }) {
  const prefix = sandbox ? '/sandbox' : '';
  let token = '';
  let ends = 0;
  let address = '';

  async function renew() {
    const answer = await call('POST', '/console/api/widget-token', { namespace, widget });
    token = answer.token;
    address = answer.url;
    ends = Date.now() + (answer.expires_in_s - EARLY_S) * 1000;
  }

  async function sendOnce(method, path, { headers, body }) {
    if (Date.now() > ends) {
      await renew();
    }
    const head = new Headers(headers);
    head.set('Authorization', `Zoho-oauthtoken ${token}`);
    return fetch(prefix + path, { method, headers: head, body, credentials: 'omit', cache: 'no-store', redirect: 'error' });
  }

  /** {status, headers, body}. path is one of ours. */
  async function send(method, path, { params, json, form, body, headers = {}, responseType } = {}) {
    const query = params ? fieldsOf(params).toString() : '';
    const target = path + (query && (path.includes('?') ? '&' : '?') + query);
    const content = json === undefined ? form ?? body : JSON.stringify(json);
    const head = json === undefined ? headers : { ...headers, 'Content-Type': 'application/json' };
    let reply = await sendOnce(method, target, { headers: head, body: content });
    if (reply.status === 401) {
      ends = 0;
      reply = await sendOnce(method, target, { headers: head, body: content });
    }
    return { status: reply.status, headers: Object.fromEntries(reply.headers), body: await readBody(reply, reply.ok ? responseType : undefined) };
  }

  /** A REST call whose answer is the widget's: what Zoho's page resolves with, or a refusal. */
  async function rest(method, path, options) {
    const reply = await send(method, path, options);
    if (reply.status === 204) {
      return { status: 204, statusText: 'nocontent' };
    }
    if (reply.status >= 400 && !Array.isArray(reply.body?.data)) {
      throw new Refusal(reply.body || { code: 'ERROR', details: {}, message: `The server answered ${reply.status}`, status: 'error' });
    }
    return reply.body;
  }

  /** What only a script of the extension could do: "connector", "variable", "request", "authorized". */
  async function ask(task, name, input) {
    const answer = await rest('POST', '/console/api/widget-call', { json: { task, name, input } });
    return answer.result;
  }

  await renew();
  return { url: address, send, rest, ask };
}
