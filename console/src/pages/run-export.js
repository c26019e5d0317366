// SPDX-License-Identifier: Apache-2.0
//
// A run to take along: as a command line, and as a test for `sluice test` (docs/testing.md).
import { call, get, may, seg } from '../api.js';

const hidden = '***';
const kinds = ['standalone', 'button', 'automation', 'schedule', 'validation_rule', 'related_list', 'salessignals'];
const namespaceOf = (run) => run.function.split('__')[0].toLowerCase();
const nameOf = (run) => run.function.split('__').slice(1).join('__');
const connectionHeaders = ['host', 'content-length', 'connection', 'accept-encoding', 'transfer-encoding'];

// ---- curl ---------------------------------------------------------------------------------------

const quote = (text) => `'${String(text).replaceAll("'", `'\\''`)}'`;

/** The key of the function's namespace, for those who may see it. */
async function keyOf(run) {
  const needed = run.request.query.includes(`zapikey=${hidden}`) || run.request.headers.some(([name, value]) => name === 'x-sluice-key' && value === hidden);
  return needed && may('developer') ? (await get(`/control/keys/${seg(namespaceOf(run))}`)).zapikey : 'ZAPIKEY';
}

export async function curlOf(run) {
  const { request } = run;
  if (request.cut) {
    throw new Error('The body of this request was longer than what is kept of one.');
  }
  const key = await keyOf(run);
  const query = request.query.replace(`zapikey=${hidden}`, `zapikey=${key}`);
  const headers = request.headers.filter(([name]) => !connectionHeaders.includes(name)).map(([name, value]) => [name, name === 'x-sluice-key' ? key : value]);
  const body = request.body_base64 ? ['--data-binary @-'] : request.body ? [`--data-binary ${quote(request.body)}`] : [];
  const words = [`curl -X ${quote(request.method)} ${quote(location.origin + request.path + (query && `?${query}`))}`, ...headers.map(([name, value]) => `-H ${quote(`${name}: ${value}`)}`), ...body];
  return (request.body_base64 ? `printf %s ${quote(request.body_base64)} | base64 -d | ` : '') + words.join(' \\\n  ');
}

// ---- a test -------------------------------------------------------------------------------------

function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

/** Texts that begin with @ would name a file. */
const literal = (text) => (text.startsWith('@') ? `@${text}` : text);

function requestOf({ request }) {
  const params = Object.fromEntries([...new URLSearchParams(request.query)].filter(([name]) => !['zapikey', 'auth_type'].includes(name)));
  const left = [...connectionHeaders, 'user-agent', 'accept'];
  const headers = Object.fromEntries(request.headers.filter(([name, value]) => !left.includes(name) && !name.startsWith('x-sluice-') && value !== hidden));
  const oauth = !request.query.includes('zapikey=') && request.headers.some(([name]) => name === 'authorization');
  return {
    method: request.method,
    ...(Object.keys(params).length > 0 && { params }),
    ...(Object.keys(headers).length > 0 && { headers }),
    ...(request.body && { body: literal(request.body) }),
    ...(oauth && { auth: 'oauth' }),
  };
}

function expectOf({ reply, log }) {
  const body = parsed(reply.body);
  const returned = body?.code === 'success' && body.details && 'output' in body.details;
  return {
    status: reply.status,
    ...(returned ? { output: body.details.output } : { body }),
    log: log.filter((entry) => entry.line > 0).map((entry) => entry.text),
  };
}

/** Requests that left the machine; what they were answered with is not kept but for the status. */
function answersOf({ calls }) {
  const ours = /^https?:\/\/(www\.zohoapis|[a-z]+\.zoho|sandbox\.zohoapis|content\.zohoapis|localhost|127\.)/i;
  const seen = (calls ?? []).filter((one) => one.name === 'invokeurl' && one.status && !ours.test(one.detail));
  const known = new Map(seen.map((one) => [`${one.method} ${one.detail}`, { method: one.method, url: one.detail, reply: { status: one.status, body: '' } }]));
  return [...known.values()];
}

/** The test's file as text; null for a run that no test can stand for. */
export function testOf(run) {
  const { request, reply } = run;
  if (!request || !reply || request.cut || reply.cut || request.body_base64 || reply.body_base64 || kinds.includes(namespaceOf(run)) || nameOf(run) === '') {
    return null;
  }
  const answers = answersOf(run);
  const test = { name: `as in run ${run.id}`, function: nameOf(run), request: requestOf(run), ...(answers.length > 0 && { answers }), expect: expectOf(run) };
  return `${JSON.stringify({ tests: [test] }, null, 2)}\n`;
}

function download(name, text) {
  const link = document.createElement('a');
  link.href = URL.createObjectURL(new Blob([text], { type: 'application/json' }));
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10000);
}

/** Downloads the test, and writes it into the folder that the extension is served from, if it is. Answers what to say. */
export async function saveTest(run) {
  const name = `${nameOf(run)}_${run.id.slice(0, 8)}`.toLowerCase();
  const text = testOf(run);
  const hint = text.includes('"answers"') ? ' What other servers answered is not kept: fill in the bodies of its answers.' : '';
  download(`${name}.json`, text);
  const saved = may('developer') ? await call('PUT', `/control/drafts/${seg(namespaceOf(run))}/tests/${seg(name)}`, { source: text }) : null;
  return saved?.folder ? `Saved as ${saved.file} in ${saved.folder}, and downloaded.${hint}` : `${name}.json was downloaded; it belongs into the extension's folder tests.${hint}`;
}
