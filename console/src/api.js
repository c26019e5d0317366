// SPDX-License-Identifier: Apache-2.0
//
// Requests to the server this page came from. The session is a cookie; what changes something carries the page's token.

export const session = { user: null, csrf: '' };

const roles = ['viewer', 'developer', 'admin'];
/** May who is signed in do what needs this role? The server asks again; a page only leaves out what would be refused. */
export const may = (least) => roles.indexOf(session.user?.role) >= roles.indexOf(least);

/** A reply that is no success: `message` is the server's own words, `body` all it said. */
export class Refused extends Error {
  constructor(status, body) {
    super(refusalText(status, body));
    this.status = status;
    this.body = body;
  }
}

function refusalText(status, body) {
  const told = body?.message ?? body?.data?.[0]?.message ?? (typeof body?.error === 'string' ? body.error : body?.error?.message);
  if (told) {
    return told;
  }
  const words = {
    0: 'The server cannot be reached. Is `sluice serve` still running?',
    403: 'Your role does not allow this.',
    404: 'There is nothing at this address any more.',
    429: 'Too many requests; wait a moment and try again.',
    503: 'The server is busy or stopping; try again.',
  };
  return words[status] ?? `The server answered ${status}.`;
}

// ---- which org and environment -----------------------------------------------------------------

const place = { org: 'default', environment: 'production' };
try {
  Object.assign(place, JSON.parse(sessionStorage.getItem('sluice.place') ?? '{}'));
} catch {
  // a page without storage shows the default org
}

export const currentPlace = () => place;

export function choosePlace(org, environment) {
  Object.assign(place, { org, environment });
  try {
    sessionStorage.setItem('sluice.place', JSON.stringify(place));
  } catch {
    // the choice holds as long as the page
  }
}

// ---- requests -----------------------------------------------------------------------------------

/** Sends a request and answers the reply as it is: {status, headers, text}. */
export async function send(method, path, { body, type, headers, environment, signal } = {}) {
  const head = new Headers(headers);
  head.set('X-Sluice-Org', place.org);
  head.set('X-Sluice-Environment', environment ?? place.environment);
  if (method !== 'GET' && method !== 'HEAD') {
    head.set('X-CSRF-Token', session.csrf);
  }
  if (body !== undefined && body !== '') {
    head.set('Content-Type', type ?? 'application/json');
  }
  const reply = await fetch(path, { method, headers: head, body: body === '' ? undefined : body, credentials: 'same-origin', cache: 'no-store', signal }).catch(() => {
    throw new Refused(0, null);
  });
  return { status: reply.status, headers: [...reply.headers], text: method === 'HEAD' ? '' : await reply.text() };
}

function parse(text) {
  try {
    return text === '' ? null : JSON.parse(text);
  } catch {
    return text;
  }
}

/** Sends JSON and answers JSON; throws Refused for every status from 400 on. Without a session the sign-in page takes over. */
export async function call(method, path, body, environment, signal) {
  const reply = await send(method, path, { environment, signal, body: body === undefined ? undefined : JSON.stringify(body) });
  const answer = parse(reply.text);
  if (reply.status === 401 && session.user && !path.startsWith('/console/api/sign-in')) {
    location.assign(`/console/sign-in${query({ ended: 1, to: location.pathname + location.search })}`);
  }
  if (reply.status >= 400) {
    throw new Refused(reply.status, answer);
  }
  return answer;
}

export const get = (path, environment, signal) => call('GET', path, undefined, environment, signal);
/** Environments of the chosen org: production, and its sandbox where it has one. */
export async function environments() {
  const orgs = await get('/control/orgs');
  return (orgs.find((org) => org.name === place.org)?.environments ?? []).map((one) => one.environment);
}
/** What `load(environment)` gives for production and sandbox; "" where there is no such environment, or nothing in it. */
export async function inBoth(load) {
  const there = await environments();
  const [production, sandbox] = await Promise.all(['production', 'sandbox'].map((one) => (there.includes(one) ? load(one).catch(() => '') : '')));
  return { production_url: production ?? '', sandbox_url: sandbox ?? '', has_sandbox: there.includes('sandbox') };
}
/** One segment of a path. */
export const seg = encodeURIComponent;
/** A query string of what is not empty. */
export function query(values) {
  const filled = Object.entries(values).filter(([, value]) => value !== '' && value !== undefined && value !== null && value !== false);
  return filled.length ? '?' + new URLSearchParams(filled).toString() : '';
}
/** Rows of a Zoho list; an empty one is a 204 without a body. */
export const rows = (answer, key) => answer?.[key] ?? [];
