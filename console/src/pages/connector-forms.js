// SPDX-License-Identifier: Apache-2.0
//
// The parts of a connector: how its service wants to be authorised, and one of its APIs (docs/connections.md). No secret stands here.
import { useState } from 'preact/hooks';
import { Dialog, Field, Select, html } from '../ui.js';
import { Choice, apiNameOf, checkApiName, taken, textOf, withMembers } from './extension-object.js';

// ---- authentication -----------------------------------------------------------------------------

const kinds = {
  none: { text: 'None', members: [] },
  'api-key': { text: 'API key', members: ['header', 'query', 'prefix'] },
  bearer: { text: 'Bearer token', members: ['prefix'] },
  basic: { text: 'Basic: user and password', members: [] },
  oauth2: { text: 'OAuth 2.0', members: ['grant', 'token_url', 'authorize_url', 'refresh_url', 'scopes', 'separator', 'token_auth'] },
};
const members = {
  header: { label: 'Header', placeholder: 'X-Api-Key', hint: 'The key goes into this header, or into the query parameter.' },
  query: { label: 'Query Parameter' },
  prefix: { label: 'Prefix', hint: 'Stands before the key, such as Bearer.' },
  token_url: { label: 'Token URL', placeholder: 'https://' },
  authorize_url: { label: 'Authorize URL', placeholder: 'https://', hint: 'Where people are asked, if they are.' },
  refresh_url: { label: 'Refresh URL', placeholder: 'https://', hint: 'If it is not the token URL.' },
  scopes: { label: 'Scopes', hint: 'With blanks between them.' },
  separator: { label: 'Separator', hint: 'Between scopes in a request, if it is no blank.' },
  grant: { label: 'Grant', options: [['', 'as the connection says'], ['authorization_code', 'Authorization code'], ['client_credentials', 'Client credentials']] },
  token_auth: { label: 'Client Authentication', options: [['', 'in the body'], ['header', 'in a header']] },
};
const spelled = (type) => String(type ?? 'none').toLowerCase().replace('_', '-');
const wordsOf = (value) => (Array.isArray(value) ? value.map(textOf).join(' ') : textOf(value));

export const authText = (authorisation) => kinds[spelled(authorisation?.type)]?.text ?? spelled(authorisation.type);

/** What a form begins with. */
export const authForm = (authorisation) => ({ type: spelled(authorisation?.type), ...Object.fromEntries(Object.keys(members).map((name) => [name, wordsOf(authorisation?.[name])])) });

/** The authorisation that a form says; a member that says the same as before stays as it was written. */
export function authOf(form, old = {}) {
  const wanted = kinds[form.type]?.members ?? [];
  if (form.type === 'oauth2' && !form.token_url.trim()) {
    throw new Error('Enter the Token URL: OAuth 2.0 needs it.');
  }
  if (form.type === 'api-key' && !form.header.trim() && !form.query.trim()) {
    throw new Error('Enter the Header or the Query Parameter that the key goes into.');
  }
  const said = Object.keys(members).map((name) => [name, wanted.includes(name) ? (wordsOf(old[name]) === form[name] ? old[name] : name === 'separator' ? form[name] : form[name].trim()) : undefined]);
  return form.type === 'none' && !old.type ? undefined : withMembers({ ...old, type: spelled(old.type) === form.type && old.type ? old.type : form.type }, Object.fromEntries(said));
}

export function AuthFields({ form, onInput }) {
  const set = (name) => (value) => onInput({ ...form, [name]: value });
  const offered = Object.entries(form.type in kinds ? kinds : { [form.type]: { text: form.type }, ...kinds }).map(([key, one]) => [key, one.text]);
  return html`<${Choice} label="Authentication" value=${form.type} options=${offered} onInput=${set('type')} hint="An org brings the secrets itself, as a connection in Setup." />
    ${(kinds[form.type]?.members ?? []).map((name) => (members[name].options
      ? html`<${Choice} key=${name} value=${form[name]} ...${members[name]} onInput=${set(name)} />`
      : html`<${Field} key=${name} value=${form[name]} ...${members[name]} onInput=${set(name)} />`))}`;
}

// ---- an API -------------------------------------------------------------------------------------

const methods = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'];
const linesOf = (map) => Object.entries(map ?? {}).map(([name, value]) => `${name}: ${value}`).join('\n');

/** "name: value" a line → {name: value}; nothing for no lines. */
function mapOf(lines, label, old) {
  if (lines === linesOf(old)) {
    return old;
  }
  const pairs = lines.split('\n').filter((line) => line.trim()).map((line) => {
    const at = line.indexOf(':');
    if (at < 1) {
      throw new Error(`${label}: write “name: value” in each line. This is none: ${line.trim()}`);
    }
    return [line.slice(0, at).trim(), line.slice(at + 1).trim()];
  });
  return pairs.length ? Object.fromEntries(pairs) : undefined;
}

const bodyTypeOf = (one) => textOf(one.body_type) || (typeof one.body === 'string' ? 'text' : 'json');
const bodyText = (body) => (body === undefined || typeof body === 'string' ? body ?? '' : JSON.stringify(body, null, 2));

function bodyOf(form, old) {
  if (form.body === bodyText(old.body) && form.body_type === bodyTypeOf(old)) {
    return old.body;
  }
  if (form.body_type === 'text' || !form.body.trim()) {
    return form.body.trim() ? form.body : undefined;
  }
  try {
    return JSON.parse(form.body);
  } catch (problem) {
    throw new Error(`Body: it is no JSON (${problem.message}). Choose text as Body Type to send it as it stands.`);
  }
}

export const apiForm = (one = {}) => ({ label: textOf(one.name), api_name: 'api_name' in one ? textOf(one.api_name) : null, method: String(one.method ?? 'GET').toUpperCase(), url: textOf(one.url), params: linesOf(one.params), headers: linesOf(one.headers),
  body: bodyText(one.body), body_type: bodyTypeOf(one), response_type: textOf(one.response_type) || 'json' });
export const apiNameIn = (form) => (form.api_name ?? apiNameOf(form.label)).trim();

export function apiOf(form, old = {}) {
  const api_name = checkApiName(apiNameIn(form));
  if (!/^https?:\/\/./i.test(form.url.trim())) {
    throw new Error('Enter the URL of the API; it begins with https://');
  }
  const body = bodyOf(form, old);
  const implied = !old.body_type && form.body_type === (typeof body === 'string' ? 'text' : 'json');
  return withMembers(old, {
    api_name, name: form.label.trim(), method: form.method, url: form.url.trim(), params: mapOf(form.params, 'Parameters', old.params), headers: mapOf(form.headers, 'Headers', old.headers), body,
    body_type: body === undefined || implied ? undefined : form.body_type,
    response_type: form.response_type === 'json' && !old.response_type ? undefined : form.response_type,
  });
}

export function ApiFields({ form, onInput, fixed }) {
  const set = (name) => (value) => onInput({ ...form, [name]: value });
  return html`<${Field} label="Name" value=${form.label} onInput=${set('label')} />
    <${Field} label="API Name" value=${apiNameIn(form)} readonly=${fixed} onInput=${set('api_name')} hint=${fixed ? undefined : 'Scripts call it by this name.'} />
    <${Select} label="Method" value=${form.method} options=${methods.includes(form.method) ? methods : [form.method, ...methods]} onInput=${set('method')} />
    <${Field} label="URL" value=${form.url} onInput=${set('url')} placeholder=${'https://api.example.com/v1/items/${id}'} hint=${'${name} is filled with the value that the script gives; so it is below.'} />
    <${Field} label="Parameters" multiline rows=${2} value=${form.params} onInput=${set('params')} hint=${'One a line: days: ${days}'} />
    <${Field} label="Headers" multiline rows=${2} value=${form.headers} onInput=${set('headers')} hint=${'One a line: X-Station: ${station}'} />
    ${(form.method !== 'GET' || form.body) && html`<${Select} label="Body Type" value=${form.body_type} options=${['json', 'form', 'text']} onInput=${set('body_type')} />
      <${Field} label="Body" multiline rows=${5} value=${form.body} onInput=${set('body')} hint=${form.body_type === 'text' ? 'Sent as it stands.' : 'JSON: {"station": "${station}"}'} />`}
    <${Select} label="Response Type" value=${form.response_type} options=${['json', 'text', 'file']} onInput=${set('response_type')} />`;
}

/** @param one the API to change, or nothing; `apis`: all of the connector. */
export function ApiDialog({ one, apis, onClose, onDone }) {
  const [form, setForm] = useState(apiForm(one));
  const submit = async () => {
    const made = apiOf(form, one);
    if (taken(apis, made.api_name, one)) {
      throw new Error(`There is an API ${made.api_name} already. Choose another API name.`);
    }
    await onDone(made);
  };
  return html`<${Dialog} wide name=${one ? `Edit ${textOf(one.api_name)}` : 'Add API'} submit="Save" onClose=${onClose} onSubmit=${submit}><${ApiFields} form=${form} onInput=${setForm} fixed=${Boolean(one)} /><//>`;
}
