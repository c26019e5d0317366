// SPDX-License-Identifier: Apache-2.0
//
// OAuth clients of the org's environment: what `sluice oauth` does. A secret is shown once, when it is made.
import { useState } from 'preact/hooks';
import { Action, Dialog, Field, Loaded, Table, Title, copy, html, say, timeText, useLoad } from '../ui.js';
import { call, get, may, seg } from '../api.js';
import { SetupNav } from './setup-nav.js';

const lines = (text) => text.split(/\s+/).filter(Boolean);

function NewClient({ onClose, onDone }) {
  const [name, setName] = useState('');
  const [scope, setScope] = useState('');
  const [user, setUser] = useState('');
  const [uris, setUris] = useState('');
  const submit = async () => onDone(await call('POST', '/control/oauth', { name, scope: lines(scope).join(','), user, redirect_uris: lines(uris) }));
  return html`<${Dialog} name="New API Client" submit="Save" onClose=${onClose} onSubmit=${submit}>
    <${Field} label="Name" value=${name} onInput=${setName} placeholder="Self Client" />
    <${Field} label="Scopes" value=${scope} onInput=${setScope} class="code-input" placeholder="ZohoCRM.modules.ALL,ZohoCRM.settings.READ" hint="With commas or blanks between them. Empty means every scope there is." />
    <${Field} label="User" type="email" value=${user} onInput=${setUser} hint="E-mail address of the CRM user the client acts as. Empty means the super admin." />
    <${Field} label="Redirect URIs" multiline rows="2" value=${uris} onInput=${setUris} hint="Only for clients that send people to /oauth/v2/auth; one a line." />
  <//>`;
}

const secrets = [['client_id', 'Client ID'], ['client_secret', 'Client Secret'], ['refresh_token', 'Refresh Token'], ['access_token', 'Access Token']];

/** What was made. It is nowhere else: the server keeps only what it needs to know it again. */
function Made({ made, onClose }) {
  return html`<${Dialog} name=${made.title} wide onClose=${onClose} footer=${html`<button type="button" class="main" onClick=${onClose}>Close</button>`}>
    <p>Copy what you need now: it is not shown again.</p>
    ${made.rows.map(([label, value]) => html`<div class="filled"><${Field} label=${label} value=${value} onInput=${() => {}} readonly class="code-input" />
      <button type="button" onClick=${() => copy(value, label)}>${`Copy ${label}`}</button></div>`)}
  <//>`;
}

function NewCode({ client, onClose, onDone }) {
  const [scope, setScope] = useState('');
  const [minutes, setMinutes] = useState('10');
  const submit = async () => onDone((await call('POST', `/control/oauth/${seg(client.client_id)}/code`, { scope: lines(scope).join(',') || client.scope, minutes: Number(minutes) })).code);
  return html`<${Dialog} name=${`Code of ${client.name}`} submit="Generate" onClose=${onClose} onSubmit=${submit}>
    <${Field} label="Scopes" value=${scope} onInput=${setScope} class="code-input" hint="With commas between them. Empty means all that the client has." />
    <${Field} label="Minutes" type="number" min="3" max="10" value=${minutes} onInput=${setMinutes} hint="How long the code may be changed for tokens: 3 to 10." />
  <//>`;
}

function RemoveClient({ client, onClose, onDone }) {
  const submit = async () => {
    await call('DELETE', `/control/oauth/${seg(client.client_id)}`);
    onDone(`${client.name} is deleted. Its tokens do not work any more.`);
  };
  return html`<${Dialog} name=${`Delete ${client.name}`} submit="Delete" onClose=${onClose} onSubmit=${submit}><p>All its tokens end at once. Programs that use them get <code>INVALID_TOKEN</code>.</p><//>`;
}

function Requests({ requests, onAnswer }) {
  return html`<section class="section"><h2>Waiting for an answer</h2>
    <${Table} name="Requests" columns=${['Client', 'Wants', 'Goes back to', 'Actions']} rows=${requests}>
      ${(one) => html`<tr key=${one.request}><th scope="row">${one.client_name}</th><td class="scopes">${one.scope}</td><td>${one.redirect_uri}</td>
        <td><div class="actions"><${Action} class="small main" aria-label=${`Approve ${one.client_name}`} onClick=${() => onAnswer(one, 'approve')}>Approve<//>
        <${Action} class="small" aria-label=${`Deny ${one.client_name}`} onClick=${() => onAnswer(one, 'deny')}>Deny<//></div></td></tr>`}
    <//></section>`;
}

function ClientTable({ clients, onOpen }) {
  const empty = html`<strong>No API clients yet</strong><p>A client is what a program signs in with: an SDK, a script, another service. It gets tokens for the scopes you choose.</p>`;
  return html`<${Table} name="API clients" columns=${['Name', 'Client ID', 'User', 'Scopes', 'Made', ...(may('admin') ? ['Actions'] : [])]} rows=${clients} empty=${empty}>
    ${(client) => html`<tr key=${client.client_id}><th scope="row">${client.name}</th><td class="mono">${client.client_id}</td><td>${client.user}</td>
      <td><details><summary>${lines(client.scope).length}</summary><ul class="scopes">${lines(client.scope).map((one) => html`<li>${one}</li>`)}</ul></details></td><td class="when">${timeText(client.created_time)}</td>
      ${may('admin') && html`<td><div class="actions"><button type="button" class="small" aria-label=${`Code of ${client.name}`} onClick=${() => onOpen({ what: NewCode, client })}>Code</button>
        <button type="button" class="small danger" aria-label=${`Delete ${client.name}`} onClick=${() => onOpen({ what: RemoveClient, client })}>Delete</button></div></td>`}</tr>`}
  <//>`;
}

export function ApiClients() {
  const clients = useLoad(() => get('/control/oauth'), 'oauth');
  const [open, setOpen] = useState(null);
  const close = () => setOpen(null);
  const done = async (answer) => {
    await clients.reload();
    if (open.what === NewClient) {
      setOpen({ what: Made, made: { title: `${answer.name} is made`, rows: secrets.filter(([key]) => answer[key]).map(([key, label]) => [label, answer[key]]) } });
    } else if (open.what === NewCode) {
      setOpen({ what: Made, made: { title: `Code of ${open.client.name}`, rows: [['Code', answer]] } });
    } else {
      close();
      say(answer);
    }
  };
  const answer = async (one, verb) => {
    await call('POST', `/control/oauth/requests/${seg(one.request)}/${verb}`, {});
    await clients.reload();
    say(verb === 'approve' ? `${one.client_name} is let in. The page that asked goes on by itself.` : `${one.client_name} is refused.`);
  };
  return html`<${SetupNav} here="/setup/api-clients" /><${Title} text="API clients" lead="OAuth clients of this environment: programs that call the REST API with tokens.">
      ${may('admin') && html`<button type="button" class="main" onClick=${() => setOpen({ what: NewClient })}>New API Client</button>`}<//>
    <${Loaded} from=${clients}>${(all) => html`<${ClientTable} clients=${all.clients} onOpen=${setOpen} />
      ${all.requests.length > 0 && may('admin') && html`<${Requests} requests=${all.requests} onAnswer=${answer} />`}`}<//>
    ${open && html`<${open.what} ...${open} onClose=${close} onDone=${done} />`}`;
}
