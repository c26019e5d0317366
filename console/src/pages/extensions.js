// SPDX-License-Identifier: Apache-2.0
//
// The developer console: extensions with their functions, custom properties, install actions and versions. What is served from a folder is
// written there; what is not has a draft on the server, which Publish makes a version.
import { useEffect, useState } from 'preact/hooks';
import { Action, Check, Dialog, Field, Loaded, Table, Title, html, say, useLoad } from '../ui.js';
import { call, currentPlace, get, inBoth, seg } from '../api.js';
import { go } from '../router.js';
import { FunctionEditor } from './function-editor.js';

const api = (namespace, ...rest) => ['/control/drafts', seg(namespace), ...rest].join('/');
const here = (namespace, ...rest) => ['/console/extensions', seg(namespace), ...rest].join('/');

// ---- the list -----------------------------------------------------------------------------------

/** "Order Desk" → "orderdesk": what a namespace may hold. */
const namespaceOf = (name) => name.toLowerCase().replace(/[^a-z0-9]+/g, '').replace(/^[0-9]+/, '').slice(0, 63);

function NewExtension({ onClose }) {
  const [name, setName] = useState('');
  const [namespace, setNamespace] = useState(null);
  const chosen = namespace ?? namespaceOf(name);
  const submit = async () => {
    const answer = await call('POST', '/control/drafts', { name, namespace: chosen });
    onClose();
    go(`/extensions/${seg(answer.namespace ?? chosen)}/functions`);
    say(`${name} is made. Create its first function here.`);
  };
  return html`<${Dialog} name="New Extension" submit="Create" onClose=${onClose} onSubmit=${submit}>
    <${Field} label="Name" value=${name} onInput=${setName} />
    <${Field} label="Namespace" value=${chosen} onInput=${setNamespace} hint="Part of every URL and variable of the extension; it cannot be changed later." /><//>`;
}

export function Extensions() {
  const list = useLoad(() => get('/control/drafts'), 'list');
  const [making, setMaking] = useState(false);
  const empty = html`<strong>No extensions yet</strong><p>Make one here, or serve a folder: <code>sluice serve my-extension</code></p><button type="button" class="main" onClick=${() => setMaking(true)}>Make the first one</button>`;
  return html`<${Title} text="Extensions" lead="What you develop on this server."><button type="button" class="main" onClick=${() => setMaking(true)}>New Extension</button><//>
    <${Loaded} from=${list}>${(all) => html`<${Table} name="Extensions" columns=${['Name', 'Namespace', 'Version', 'Kept in', 'Actions']} rows=${all} empty=${empty}>
      ${(one) => html`<tr key=${one.namespace}><th scope="row">${one.name}</th><td>${one.namespace}</td><td>${one.version || html`<span class="soft">not published</span>`}</td>
        <td>${one.folder ? html`<code>${one.folder}</code>` : 'a draft'}</td>
        <td class="number"><a href=${here(one.namespace)}>${`Edit ${one.name}`}</a></td></tr>`}<//>`}<//>
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

/** "shop__order", "shop.order" and "order" are one function of shop; this is its own name. */
const shortName = (namespace, name) => (name.toLowerCase().startsWith(`${namespace}__`.toLowerCase()) ? name.slice(namespace.length + 2) : name.toLowerCase().startsWith(`${namespace}.`.toLowerCase()) ? name.slice(namespace.length + 1) : name);

const template = (namespace, name) => `string ${namespace}.${name}(map crmAPIRequest)\n{\n\tinfo crmAPIRequest.get("body");\n\treturn "";\n}\n`;

function CreateFunction({ namespace, taken, onClose }) {
  const [name, setName] = useState('');
  const submit = async () => {
    const given = name.trim();
    if (!/^[A-Za-z][A-Za-z0-9_]*$/.test(given)) {
      throw new Error('A function name is letters, digits and underscores, and begins with a letter.');
    }
    if (taken.some((one) => one.toLowerCase() === given.toLowerCase())) {
      throw new Error(`There is a function ${given} already.`);
    }
    await call('PUT', api(namespace, 'functions', seg(given)), { source: template(namespace, given) });
    onClose();
    go(`/extensions/${seg(namespace)}/functions/${seg(given)}`);
  };
  return html`<${Dialog} name="Create Function" submit="Create" onClose=${onClose} onSubmit=${submit}>
    <${Field} label="Function Name" value=${name} onInput=${setName} hint=${`Letters, digits and underscores. It is called ${namespace}__${name.trim() || '…'}.`} /><//>`;
}

export function ExtensionFunctions({ namespace }) {
  const shown = useLoad(() => get(api(namespace)), namespace);
  const [making, setMaking] = useState(false);
  const empty = html`<strong>No functions yet</strong><p>A function is a script with a URL. Create one, write it, try it with arguments.</p>`;
  const names = (shown.data?.functions ?? []).map((one) => shortName(namespace, one.api_name));
  const callable = (one) => [one.apikey && 'API key', one.oauth && 'OAuth'].filter(Boolean).join(', ') || html`<span class="soft">nothing</span>`;
  return html`<${ExtensionNav} namespace=${namespace} part="functions" />
    <${Title} text="Functions"><button type="button" class="main" onClick=${() => setMaking(true)}>Create Function</button><//>
    <${Loaded} from=${shown}>${(data) => html`<${Table} name="Functions" columns=${['API name', 'Style', 'Callable with']} rows=${data.functions} empty=${empty}>
      ${(one) => html`<tr key=${one.api_name}><th scope="row"><a href=${here(namespace, 'functions', seg(shortName(namespace, one.api_name)))}>${`${namespace}__${shortName(namespace, one.api_name)}`}</a></th>
        <td>${one.version}${one.errors > 0 && html` <span class="badge bad">has errors</span>`}</td><td>${callable(one)}</td></tr>`}<//>`}<//>
    ${making && html`<${CreateFunction} namespace=${namespace} taken=${names} onClose=${() => setMaking(false)} />`}`;
}

/** The URL of an extension's function in one environment of the chosen org; "" when it is not installed there. */
async function urlIn(namespace, name, environment) {
  const shown = await get(`/control/ext/${seg(namespace)}`, environment);
  const place = currentPlace();
  const there = shown.installed.find((one) => one.org === place.org && one.environment === environment);
  return there?.functions.find((one) => one.api_name.toLowerCase() === `${namespace}__${name}`.toLowerCase())?.url ?? '';
}

export function ExtensionFunction({ namespace, name }) {
  const path = api(namespace, 'functions', seg(name));
  const shown = useLoad(() => get(path), `${namespace}/${name}`);
  const access = async (one) => ({ apikey: one.apikey, oauth: one.oauth, ...(await inBoth((environment) => urlIn(namespace, name, environment))) });
  const invoke = { load: async () => access(await get(path)), change: async (switches) => (await call('PUT', path, switches), access(await get(path))) };
  const save = async (source) => {
    const answer = await call('PUT', path, { source });
    return { errors: answer.diagnostics, message: answer.live === false ? 'Saved in the draft. Publish makes it a version.' : 'Saved, and live.' };
  };
  return html`<${ExtensionNav} namespace=${namespace} part="functions" /><${Title} text=${`${namespace}__${name}`} />
    <${Loaded} from=${shown}>${(loaded) => html`<${FunctionEditor} source=${loaded.source} where=${() => ({ namespace, name })} save=${save} invoke=${invoke} />`}<//>`;
}

// ---- custom properties --------------------------------------------------------------------------

function CreateProperty({ namespace, onClose, onDone }) {
  const [values, setValues] = useState({ field_name: '', api_name: null, value: '', secret: false });
  const set = (name) => (value) => setValues({ ...values, [name]: value });
  const apiName = values.api_name ?? namespaceOf(values.field_name);
  const submit = async () => {
    if (!/^[A-Za-z][A-Za-z0-9_]*$/.test(apiName)) {
      throw new Error('An API name is letters, digits and underscores, and begins with a letter.');
    }
    const { field_name, value, secret } = values;
    await call('PUT', api(namespace, 'variables', seg(apiName)), { field_name, value, secret });
    await onDone(values.field_name);
  };
  return html`<${Dialog} name="Create Custom Property" submit="Save" onClose=${onClose} onSubmit=${submit}>
    <${Field} label="Field Name" value=${values.field_name} onInput=${set('field_name')} />
    <${Field} label="API Name" value=${apiName} onInput=${set('api_name')} hint="Scripts read it by this name." />
    <${Field} label="Value" value=${values.value} onInput=${set('value')} hint=${values.secret ? 'Kept sealed and never shown again.' : 'What an org begins with.'} />
    <${Check} label="Secret" checked=${values.secret} onChange=${set('secret')} /><//>`;
}

export function CustomProperties({ namespace }) {
  const list = useLoad(async () => (await get(api(namespace))).variables, namespace);
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
  on_installation: { name: 'Extension - On Installation', text: 'Runs when an org has installed the extension. If it fails, the installation is taken back.' },
  on_uninstallation: { name: 'Extension - On Uninstallation', text: 'Runs before the extension is taken away.' },
};

export function InstallActions({ namespace }) {
  return html`<${ExtensionNav} namespace=${namespace} part="install-actions" /><${Title} text="Install Actions" lead="Scripts that run when the extension comes and goes." />
    <div class="cards">${Object.entries(actions).map(([key, one]) => html`<section class="card"><h2><a href=${here(namespace, 'install-actions', key)}>${one.name}</a></h2><p class="soft">${one.text}</p></section>`)}</div>`;
}

export function InstallAction({ namespace, action }) {
  const path = api(namespace, 'actions', seg(action));
  const shown = useLoad(() => get(path), `${namespace}/${action}`);
  const save = async (source) => ({ errors: (await call('PUT', path, { source })).diagnostics });
  return html`<${ExtensionNav} namespace=${namespace} part="install-actions" /><${Title} text=${actions[action]?.name ?? action} lead=${actions[action]?.text} />
    <${Loaded} from=${shown}>${(loaded) => html`<${FunctionEditor} source=${loaded.source ?? ''} where=${() => ({ namespace, name: action })} save=${save} />`}<//>`;
}

// ---- publish ------------------------------------------------------------------------------------

async function loadVersions(namespace) {
  const [draft, published] = await Promise.all([get(api(namespace)), get(`/control/ext/${seg(namespace)}`).catch(() => null)]);
  return { next: draft.next_version, versions: published?.versions ?? [], installed: published?.installed ?? [] };
}

export function Publish({ namespace }) {
  const shown = useLoad(() => loadVersions(namespace), namespace);
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
      const answer = await call('POST', api(namespace, 'publish'), { version: version.trim() });
      await shown.reload();
      setMessages(answer.messages ?? []);
      say(`${namespace} ${answer.version ?? version} is published. Orgs install it from the marketplace.`);
    } catch (failure) {
      setMessages(failure.body?.messages ?? []);
      throw failure;
    }
  };
  const orgs = (data, version) => data.installed.filter((one) => one.version === version).map((one) => `${one.org}, ${one.environment}`).join('; ');
  return html`<${ExtensionNav} namespace=${namespace} part="publish" /><${Title} text="Publish" lead="A published version never changes. Everything is checked first: if anything is wrong, nothing is published." />
    <${Loaded} from=${shown}>${(data) => html`
      <form class="card publish" onSubmit=${(event) => event.preventDefault()}><${Field} label="Version" value=${version} onInput=${setVersion} /><${Action} class="main" type="submit" onClick=${publish}>Publish<//></form>
      ${messages.length > 0 && html`<ul class="problems section">${messages.map((one) => html`<li class=${one.level}>${one.text}</li>`)}</ul>`}
      <section class="section"><h2>Versions</h2><${Table} name="Versions" columns=${['Version', 'Installed in']} rows=${data.versions} empty=${html`<strong>Nothing is published yet</strong><p>Publish the first version above.</p>`}>
        ${(one) => html`<tr key=${one}><th scope="row">${one}</th><td>${orgs(data, one)}</td></tr>`}<//></section>`}<//>`;
}
