// SPDX-License-Identifier: Apache-2.0
//
// Connections: how scripts of this environment are let in by other services (docs/connections.md). Secrets go in here and are never shown again.
import { useId, useState } from 'preact/hooks';
import { Dialog, Field, Loaded, Table, Title, html, say, useLoad } from '../ui.js';
import { call, get, may, seg } from '../api.js';
import { SetupNav } from './setup-nav.js';

const scopes = { name: 'scopes', label: 'Scopes', hint: 'With blanks between them.' };
const value = { name: 'value', label: 'Value', secret: true };
const types = {
  zoho: { text: 'Zoho: the REST API of this server', fields: [{ ...scopes, hint: 'With blanks between them. Empty means all.' }] },
  'api-key': { text: 'API key in a header or in the query', fields: [{ name: 'header', label: 'Header', placeholder: 'X-Api-Key' }, { name: 'query', label: 'Query parameter', hint: 'Instead of a header.' }, value] },
  bearer: { text: 'Bearer token', fields: [{ name: 'prefix', label: 'Prefix', placeholder: 'Bearer' }, value] },
  basic: { text: 'User and password', fields: [{ name: 'user', label: 'User' }, { name: 'password', label: 'Password', secret: true }] },
  oauth2: {
    text: 'OAuth 2.0: gets and renews its tokens itself',
    fields: [{ name: 'client_id', label: 'Client ID' }, { name: 'client_secret', label: 'Client Secret', secret: true }, { name: 'token_url', label: 'Token URL', placeholder: 'https://' }, scopes,
      { name: 'refresh_token', label: 'Refresh Token', secret: true, hint: 'Empty: the grant is client_credentials.' }],
  },
  none: { text: 'None: it only names hosts', fields: [] },
};

const words = (text) => text.split(/[\s,]+/).filter(Boolean);
const filled = (fields, values) => Object.fromEntries(fields.filter((field) => values[field.name]).map((field) => [field.name, values[field.name]]));

function NewConnection({ onClose, onDone }) {
  const id = useId();
  const [name, setName] = useState('');
  const [type, setType] = useState('api-key');
  const [values, setValues] = useState({});
  const [hosts, setHosts] = useState('');
  const { fields } = types[type];
  const submit = async () => {
    const plain = filled(fields.filter((field) => !field.secret), values);
    const definition = { type, ...plain, ...(words(hosts).length && { hosts: words(hosts) }) };
    await call('POST', '/control/connections', { name, definition, secrets: filled(fields.filter((field) => field.secret), values) });
    onDone(`Scripts may name the connection ${name}.`);
  };
  return html`<${Dialog} name="New Connection" submit="Save" onClose=${onClose} onSubmit=${submit}>
    <${Field} label="Name" value=${name} onInput=${setName} hint="As scripts write it: letters, digits, - and _. An extension’s connector is NAMESPACE.CONNECTOR." />
    <div class="field"><label for=${id}>Type</label><select id=${id} value=${type} onChange=${(event) => setType(event.target.value)}>${Object.entries(types).map(([key, one]) => html`<option value=${key}>${one.text}</option>`)}</select></div>
    ${fields.map((field) => html`<${Field} key=${field.name} label=${field.label} hint=${field.hint} placeholder=${field.placeholder} type=${field.secret ? 'password' : 'text'} autocomplete=${field.secret ? 'new-password' : 'off'}
      value=${values[field.name] ?? ''} onInput=${(text) => setValues((now) => ({ ...now, [field.name]: text }))} />`)}
    ${type !== 'zoho' && html`<${Field} label="Hosts" value=${hosts} onInput=${setHosts} placeholder="api.example.com" hint="Which hosts may see the secret; *.example.com is all below it. Empty means any that a script calls." />`}
  <//>`;
}

function TestConnection({ connection, onClose }) {
  const [url, setUrl] = useState('');
  const [result, setResult] = useState(null);
  const submit = async () => {
    setResult(null);
    setResult(await call('POST', `/control/connections/${seg(connection.name)}/test`, { url }));
  };
  return html`<${Dialog} name=${`Test ${connection.name}`} submit="Send" onClose=${onClose} onSubmit=${submit}>
    <${Field} label="URL" type="url" value=${url} onInput=${setUrl} placeholder="https://" hint=${connection.type === 'zoho' ? 'Empty asks for the org.' : 'A GET is sent to it under this connection, as a script would.'} />
    <p role="status">${result && html`${result.url} answered <span class=${`badge ${result.status < 400 ? 'good' : 'bad'}`}>${result.status}</span>`}</p>
  <//>`;
}

function DeleteConnection({ connection, onClose, onDone }) {
  const submit = async () => {
    await call('DELETE', `/control/connections/${seg(connection.name)}`);
    onDone(`${connection.name} is deleted.`);
  };
  return html`<${Dialog} name=${`Delete ${connection.name}`} submit="Delete" onClose=${onClose} onSubmit=${submit}><p>Scripts that name it fail from now on, and its secrets are gone.</p><//>`;
}

export function Connections() {
  const connections = useLoad(() => get('/control/connections'), 'connections');
  const [open, setOpen] = useState(null);
  const close = () => setOpen(null);
  const done = async (text) => {
    close();
    await connections.reload();
    say(text);
  };
  const writes = may('developer');
  const empty = html`<strong>No connections yet</strong><p>A connection lets scripts in at another service, without the secret in their source: <code>invokeurl [ url: … connection: "name" ]</code></p>`;
  return html`<${SetupNav} here="/setup/connections" /><${Title} text="Connections" lead="How scripts of this environment are let in by other services.">
      ${writes && html`<button type="button" class="main" onClick=${() => setOpen({ what: NewConnection })}>New Connection</button>`}<//>
    <${Loaded} from=${connections}>${(all) => html`
      <${Table} name="Connections" columns=${['Name', 'Type', 'Hosts', ...(writes ? ['Actions'] : [])]} rows=${all} empty=${empty}>
        ${(one) => html`<tr key=${one.name}><th scope="row">${one.name}</th><td>${one.type}</td><td>${(one.hosts ?? []).join(', ') || html`<span class="soft">${one.type === 'zoho' ? 'this server' : 'any'}</span>`}</td>
          ${writes && html`<td><div class="actions"><button type="button" class="small" aria-label=${`Test ${one.name}`} onClick=${() => setOpen({ what: TestConnection, connection: one })}>Test</button>
            <button type="button" class="small danger" aria-label=${`Delete ${one.name}`} onClick=${() => setOpen({ what: DeleteConnection, connection: one })}>Delete</button></div></td>`}</tr>`}
      <//>`}<//>
    ${open && html`<${open.what} ...${open} onClose=${close} onDone=${done} />`}`;
}
