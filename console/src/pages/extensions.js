// SPDX-License-Identifier: Apache-2.0
//
// The developer console: extensions with their functions, custom properties, install actions and versions. What is served from a folder is
// written there; what is not has a draft on the server, which Publish makes a version.
import { useEffect, useState } from 'preact/hooks';
import { Action, Check, Dialog, Field, Loaded, Table, Title, html, say, timeText, useLoad } from '../ui.js';
import { call, get, seg } from '../api.js';
import { go } from '../router.js';
import { FunctionEditor } from './function-editor.js';

const api = (namespace, ...rest) => ['/console/api/extensions', seg(namespace), ...rest].join('/');
const here = (namespace, ...rest) => ['/console/extensions', seg(namespace), ...rest].join('/');

// ---- the list -----------------------------------------------------------------------------------

/** "Order Desk" → "orderdesk": what a namespace may hold. */
const namespaceOf = (name) => name.toLowerCase().replace(/[^a-z0-9]+/g, '').replace(/^[0-9]+/, '').slice(0, 63);

function NewExtension({ onClose }) {
  const [name, setName] = useState('');
  const [namespace, setNamespace] = useState(null);
  const chosen = namespace ?? namespaceOf(name);
  const submit = async () => {
    const answer = await call('POST', '/console/api/extensions', { name, namespace: chosen });
    onClose();
    go(`/extensions/${seg(answer.namespace ?? chosen)}/functions`);
    say(`${name} is made. Create its first function here.`);
  };
  return html`<${Dialog} name="New Extension" submit="Create" onClose=${onClose} onSubmit=${submit}>
    <${Field} label="Name" value=${name} onInput=${setName} />
    <${Field} label="Namespace" value=${chosen} onInput=${setNamespace} hint="Part of every URL and variable of the extension; it cannot be changed later." /><//>`;
}

export function Extensions() {
  const list = useLoad(() => get('/console/api/extensions'), 'list');
  const [making, setMaking] = useState(false);
  const empty = html`<strong>No extensions yet</strong><p>Make one here, or serve a folder: <code>sluice serve my-extension</code></p><button type="button" class="main" onClick=${() => setMaking(true)}>Make the first one</button>`;
  return html`<${Title} text="Extensions" lead="What you develop on this server."><button type="button" class="main" onClick=${() => setMaking(true)}>New Extension</button><//>
    <${Loaded} from=${list}>${(all) => html`<${Table} name="Extensions" columns=${['Name', 'Namespace', 'Version', 'Kept in', 'Actions']} rows=${all} empty=${empty}>
      ${(one) => html`<tr key=${one.namespace}><th scope="row">${one.name}</th><td>${one.namespace}</td><td>${one.version || html`<span class="soft">not published</span>`}</td>
        <td>${one.folder ? html`<code>${one.folder}</code>` : 'a draft'}</td>
        <td><a href=${here(one.namespace)}>${`Edit ${one.name}`}</a></td></tr>`}<//>`}<//>
    ${making && html`<${NewExtension} onClose=${() => setMaking(false)} />`}`;
}

// ---- the frame of one extension -----------------------------------------------------------------

const parts = [
  ['Functions', 'functions'],
  ['Custom Properties', 'custom-properties'],
  ['Install Actions', 'install-actions'],
  ['Publish', 'publish'],
];

function ExtensionNav({ namespace, part }) {
  return html`<nav aria-label="Extension" class="sub-nav"><span class="group">${namespace}</span><ul>${parts.map(([name, path]) => html`<li><a href=${here(namespace, path)} aria-current=${part === path ? 'page' : undefined}>${name}</a></li>`)}</ul></nav>`;
}

export function Extension({ namespace }) {
  const shown = useLoad(() => get(api(namespace)), namespace);
  return html`<${ExtensionNav} namespace=${namespace} /><${Title} text=${shown.data?.name ?? namespace} />
    <${Loaded} from=${shown}>${(one) => html`<dl class="facts card"><dt>Namespace</dt><dd>${one.namespace}</dd><dt>Version</dt><dd>${one.version || 'not published'}</dd>
        <dt>Kept in</dt><dd>${one.folder ? html`<code>${one.folder}</code> — what is saved here is written there and live at once` : 'a draft on this server, which Publish makes a version'}</dd></dl>
      <div class="cards section">
        <section class="card"><h2>Functions</h2><p class="soft">Scripts that answer at URLs of their own.</p><p><a href=${here(namespace, 'functions')} aria-label="Open the list of scripts">Open</a></p></section>
        <section class="card"><h2>Properties</h2><p class="soft">Values that each org sets for itself.</p><p><a href=${here(namespace, 'custom-properties')} aria-label="Open the properties">Open</a></p></section>
        <section class="card"><h2>Release</h2><p class="soft">A version that orgs can install.</p><p><a href=${here(namespace, 'publish')} aria-label="Open the release page">Open</a></p></section></div>`}<//>`;
}

// ---- functions ----------------------------------------------------------------------------------

function CreateFunction({ namespace, onClose }) {
  const [name, setName] = useState('');
  const submit = async () => {
    const answer = await call('POST', api(namespace, 'functions'), { name: name.trim() });
    onClose();
    go(`/extensions/${seg(namespace)}/functions/${seg(answer.name ?? name.trim())}`);
  };
  return html`<${Dialog} name="Create Function" submit="Create" onClose=${onClose} onSubmit=${submit}>
    <${Field} label="Function Name" value=${name} onInput=${setName} hint=${`Letters, digits and underscores. It is called ${namespace}__${name.trim() || '…'}.`} /><//>`;
}

export function ExtensionFunctions({ namespace }) {
  const list = useLoad(() => get(api(namespace, 'functions')), namespace);
  const [making, setMaking] = useState(false);
  const empty = html`<strong>No functions yet</strong><p>A function is a script with a URL. Create one, write it, try it with arguments.</p>`;
  return html`<${ExtensionNav} namespace=${namespace} part="functions" />
    <${Title} text="Functions"><button type="button" class="main" onClick=${() => setMaking(true)}>Create Function</button><//>
    <${Loaded} from=${list}>${(all) => html`<${Table} name="Functions" columns=${['API name', 'State']} rows=${all} empty=${empty}>
      ${(one) => html`<tr key=${one.name}><th scope="row"><a href=${here(namespace, 'functions', seg(one.name))}>${one.api_name}</a></th>
        <td>${errorCount(one) ? html`<span class="badge bad">${errorCount(one) === 1 ? '1 error' : `${errorCount(one)} errors`}</span>` : html`<span class="badge good">compiles</span>`}</td></tr>`}<//>`}<//>
    ${making && html`<${CreateFunction} namespace=${namespace} onClose=${() => setMaking(false)} />`}`;
}

const errorCount = (one) => (Array.isArray(one.errors) ? one.errors.length : (one.errors ?? 0));

export function ExtensionFunction({ namespace, name }) {
  const shown = useLoad(() => get(api(namespace, 'functions', seg(name))), `${namespace}/${name}`);
  return html`<${ExtensionNav} namespace=${namespace} part="functions" /><${Title} text=${`${namespace}__${name}`} />
    <${Loaded} from=${shown}>${(loaded) => html`<${FunctionEditor} path=${api(namespace, 'functions', seg(name))} shown=${loaded} context=${{ namespace }} />`}<//>`;
}

// ---- custom properties --------------------------------------------------------------------------

function CreateProperty({ namespace, onClose, onDone }) {
  const [values, setValues] = useState({ field_name: '', api_name: null, value: '', secret: false });
  const set = (name) => (value) => setValues({ ...values, [name]: value });
  const apiName = values.api_name ?? namespaceOf(values.field_name);
  const submit = async () => {
    await call('POST', api(namespace, 'variables'), { ...values, api_name: apiName });
    await onDone(values.field_name);
  };
  return html`<${Dialog} name="Create Custom Property" submit="Save" onClose=${onClose} onSubmit=${submit}>
    <${Field} label="Field Name" value=${values.field_name} onInput=${set('field_name')} />
    <${Field} label="API Name" value=${apiName} onInput=${set('api_name')} hint="Scripts read it by this name." />
    <${Field} label="Value" value=${values.value} onInput=${set('value')} disabled=${values.secret} hint=${values.secret ? 'A secret has no default: each org sets its own.' : 'What an org begins with.'} />
    <${Check} label="Secret" checked=${values.secret} onChange=${set('secret')} /><//>`;
}

export function CustomProperties({ namespace }) {
  const list = useLoad(() => get(api(namespace, 'variables')), namespace);
  const [making, setMaking] = useState(false);
  const empty = html`<strong>No custom properties yet</strong><p>A custom property is a value that each org fills in when it installs the extension, such as the key of another service.</p>`;
  const done = async (name) => {
    setMaking(false);
    await list.reload();
    say(`${name} is created.`);
  };
  return html`<${ExtensionNav} namespace=${namespace} part="custom-properties" />
    <${Title} text="Custom Properties"><button type="button" class="main" onClick=${() => setMaking(true)}>Create</button><//>
    <${Loaded} from=${list}>${(all) => html`<${Table} name="Custom Properties" columns=${['Field Name', 'API Name', 'Value', 'Secret']} rows=${all} empty=${empty}>
      ${(one) => html`<tr key=${one.api_name}><th scope="row">${one.field_name}</th><td><code>${one.api_name}</code></td><td class="long">${one.secret ? '' : one.value}</td><td>${one.secret ? 'yes' : 'no'}</td></tr>`}<//>`}<//>
    ${making && html`<${CreateProperty} namespace=${namespace} onClose=${() => setMaking(false)} onDone=${done} />`}`;
}

// ---- install actions ----------------------------------------------------------------------------

const actions = {
  install: { name: 'Extension - On Installation', text: 'Runs when an org has installed the extension. If it fails, the installation is taken back.' },
  uninstall: { name: 'Extension - On Uninstallation', text: 'Runs before the extension is taken away.' },
};

export function InstallActions({ namespace }) {
  return html`<${ExtensionNav} namespace=${namespace} part="install-actions" /><${Title} text="Install Actions" lead="Scripts that run when the extension comes and goes." />
    <div class="cards">${Object.entries(actions).map(([key, one]) => html`<section class="card"><h2><a href=${here(namespace, 'install-actions', key)}>${one.name}</a></h2><p class="soft">${one.text}</p></section>`)}</div>`;
}

export function InstallAction({ namespace, action }) {
  const shown = useLoad(() => get(api(namespace, 'actions', seg(action))), `${namespace}/${action}`);
  return html`<${ExtensionNav} namespace=${namespace} part="install-actions" /><${Title} text=${actions[action]?.name ?? action} lead=${actions[action]?.text} />
    <${Loaded} from=${shown}>${(loaded) => html`<${FunctionEditor} path=${api(namespace, 'actions', seg(action))} shown=${loaded} context=${{ namespace }} canInvoke=${false} canExecute=${loaded.execute !== false} />`}<//>`;
}

// ---- publish ------------------------------------------------------------------------------------

export function Publish({ namespace }) {
  const shown = useLoad(() => get(api(namespace, 'versions')), namespace);
  const [version, setVersion] = useState('');
  const [messages, setMessages] = useState([]);
  useEffect(() => {
    if (shown.data) {
      setVersion(shown.data.next);
    }
  }, [shown.data]);
  const publish = async () => {
    setMessages([]);
    try {
      const answer = await call('POST', api(namespace, 'versions'), { version: version.trim() });
      await shown.reload();
      setMessages(answer.messages ?? []);
      say(`${namespace} ${answer.version ?? version} is published. Orgs install it from the marketplace.`);
    } catch (failure) {
      setMessages(failure.body?.messages ?? []);
      throw failure;
    }
  };
  return html`<${ExtensionNav} namespace=${namespace} part="publish" /><${Title} text="Publish" lead="A published version never changes. Everything is checked first: if anything is wrong, nothing is published." />
    <${Loaded} from=${shown}>${(data) => html`
      <form class="card publish" onSubmit=${(event) => event.preventDefault()}><${Field} label="Version" value=${version} onInput=${setVersion} /><${Action} class="main" type="submit" onClick=${publish}>Publish<//></form>
      ${messages.length > 0 && html`<ul class="problems section">${messages.map((one) => html`<li class=${one.level}>${one.text}</li>`)}</ul>`}
      <section class="section"><h2>Versions</h2><${Table} name="Versions" columns=${['Version', 'Published']} rows=${data.versions} empty=${html`<strong>Nothing is published yet</strong><p>Publish the first version above.</p>`}>
        ${(one) => html`<tr key=${one.version ?? one}><th scope="row">${one.version ?? one}</th><td class="when">${timeText(one.time)}</td></tr>`}<//></section>`}<//>`;
}
