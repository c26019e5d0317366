// SPDX-License-Identifier: Apache-2.0
//
// The developer console: extensions with their functions, custom properties, install actions and versions. What is served from a folder is
// written there; what is not has a draft on the server, which Publish makes a version.
import { useState } from 'preact/hooks';
import { Action, Check, Dialog, Field, Loaded, Table, Title, html, say, sayBoth, timeText, useLoad } from '../ui.js';
import { call, currentPlace, get, inBoth, may, seg } from '../api.js';
import { go } from '../router.js';
import { FunctionEditor } from './function-editor.js';
import { Contents, Widgets } from './extension-contents.js';

export const api = (namespace, ...rest) => ['/control/drafts', seg(namespace), ...rest].join('/');
export const here = (namespace, ...rest) => ['/console/extensions', seg(namespace), ...rest].join('/');

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

/** Where the newest text is. */
const keptIn = (one) => (one.folder ? html`<code>${one.folder}</code>` : one.draft ? 'a draft, not yet published' : html`<span class="soft">this server</span>`);

export function Extensions() {
  const list = useLoad(() => get('/control/drafts'), 'list');
  const [making, setMaking] = useState(false);
  const empty = html`<strong>No extensions yet</strong><p>Make one here, or serve a folder: <code>sluice serve my-extension</code></p>
    ${may('developer') && html`<button type="button" class="main" onClick=${() => setMaking(true)}>Make the first one</button>`}`;
  return html`<${Title} text="Extensions" lead="What you develop on this server.">${may('developer') && html`<button type="button" class="main" onClick=${() => setMaking(true)}>New Extension</button>`}<//>
    <${Loaded} from=${list}>${(all) => html`<${Table} name="Extensions" columns=${['Name', 'Namespace', 'Version', 'Kept in', 'Actions']} rows=${all} empty=${empty}>
      ${(one) => html`<tr key=${one.namespace}><th scope="row">${one.name}</th><td>${one.namespace}</td><td>${one.version || html`<span class="soft">not published</span>`}</td>
        <td>${keptIn(one)}</td>
        <td class="number"><a href=${here(one.namespace)}>${`Edit ${one.name}`}</a></td></tr>`}<//>`}<//>
    ${making && html`<${NewExtension} onClose=${() => setMaking(false)} />`}`;
}

// ---- the frame of one extension -----------------------------------------------------------------

const parts = [
  ['Functions', 'functions'],
  ['Custom Properties', 'custom-properties'],
  ['Install Actions', 'install-actions'],
  ['Modules', 'modules'],
  ['Connectors', 'connectors'],
  ['Contents', 'contents'],
  ['Publish', 'publish'],
];

export function ExtensionNav({ namespace, part }) {
  return html`<nav aria-label="Extension" class="sub-nav"><span class="group">${namespace}</span><ul>${parts.map(([name, path]) => html`<li><a href=${here(namespace, path)} aria-current=${part === path ? 'page' : undefined}>${name}</a></li>`)}</ul></nav>`;
}

export function Extension({ namespace }) {
  const shown = useLoad(() => get(api(namespace)), namespace);
  return html`<${ExtensionNav} namespace=${namespace} /><${Title} text=${shown.data?.name ?? namespace} />
    <${Loaded} from=${shown}>${(one) => html`<dl class="facts card"><dt>Namespace</dt><dd>${one.namespace}</dd><dt>Version</dt><dd>${one.version || 'not published'}</dd>
        <dt>Kept in</dt><dd>${one.folder ? html`<code>${one.folder}</code>: what is saved here is written there and live at once` : one.draft ? 'a draft on this server, which Publish makes a version' : 'the newest version; the first change begins a draft'}</dd></dl>
      <div class="cards section">
        <section class="card"><h2>Functions</h2><p class="soft">Scripts that answer at URLs of their own.</p><p><a href=${here(namespace, 'functions')} aria-label="Open the list of scripts">Open</a></p></section>
        <section class="card"><h2>Properties</h2><p class="soft">Values that each org sets for itself.</p><p><a href=${here(namespace, 'custom-properties')} aria-label="Open the properties">Open</a></p></section>
        <section class="card"><h2>Contents</h2><p class="soft">Modules, connectors, signals, schedules and widgets.</p><p><a href=${here(namespace, 'contents')} aria-label="Open the contents">Open</a></p></section>
        <section class="card"><h2>Release</h2><p class="soft">A version that orgs can install.</p><p><a href=${here(namespace, 'publish')} aria-label="Open the release page">Open</a></p></section></div>
      ${one.widgets?.length > 0 && html`<section class="section"><h2>Widgets</h2><${Widgets} namespace=${namespace} widgets=${one.widgets} /></section>`}`}<//>`;
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

function stateOf(one) {
  if (one.errors > 0) {
    return html`<span class="badge bad">has errors</span>`;
  }
  return one.live ? html`<span class="badge good">live</span>` : html`<span class="badge">not live</span>`;
}

export function ExtensionFunctions({ namespace }) {
  const shown = useLoad(() => get(api(namespace)), namespace);
  const [making, setMaking] = useState(false);
  const [removing, setRemoving] = useState('');
  const empty = html`<strong>No functions yet</strong><p>A function is a script with a URL. Create one, write it, try it with arguments.</p>`;
  const names = (shown.data?.functions ?? []).map((one) => shortName(namespace, one.api_name));
  const remove = async () => {
    await call('DELETE', api(namespace, 'functions', seg(removing)));
    setRemoving('');
    await shown.reload();
    say(`${namespace}__${removing} is deleted.`);
  };
  const callable = (one) => [one.apikey && 'API key', one.oauth && 'OAuth'].filter(Boolean).join(', ') || html`<span class="soft">nothing</span>`;
  return html`<${ExtensionNav} namespace=${namespace} part="functions" />
    <${Title} text="Functions">${may('developer') && html`<button type="button" class="main" onClick=${() => setMaking(true)}>Create Function</button>`}<//>
    <${Loaded} from=${shown}>${(data) => html`<${Table} name="Functions" columns=${['API name', 'Style', 'State', 'Callable with', ...(may('developer') ? ['Actions'] : [])]} rows=${data.functions} empty=${empty}>
      ${(one) => html`<tr key=${one.api_name}><th scope="row"><a href=${here(namespace, 'functions', seg(shortName(namespace, one.api_name)))}>${`${namespace}__${shortName(namespace, one.api_name)}`}</a></th>
        <td>${one.version}</td><td>${stateOf(one)}</td><td>${callable(one)}</td>
        ${may('developer') && html`<td><div class="actions"><button type="button" class="small danger" onClick=${() => setRemoving(one.api_name)}>${`Delete ${one.api_name}`}</button></div></td>`}</tr>`}<//>`}<//>
    ${removing && html`<${Dialog} name=${`Delete ${removing}`} submit="Delete" onClose=${() => setRemoving('')} onSubmit=${remove}><p>Its script goes${shown.data?.folder ? ' from the folder, and its URL stops answering' : ' from the draft; what is installed stays until the next version is'}.</p><//>`}
    ${making && html`<${CreateFunction} namespace=${namespace} taken=${names} onClose=${() => setMaking(false)} />`}`;
}

/** The saved versions of the script at `path`; restoring one saves its text anew. */
const historyOf = (path) => ({ load: () => get(`${path}/history`), restore: ({ source }) => call('PUT', path, { source }) });

/** What a save came to: errors of the script itself, and words for the status. Errors of other files keep a good script from being live. */
function saved(answer, isAction) {
  const others = (answer.messages ?? []).filter((one) => one.level === 'error').map((one) => one.text);
  if (!answer.folder) {
    const text = 'It is in the draft; what is installed goes on serving.';
    return { errors: answer.diagnostics, message: 'Saved in the draft. Publish makes it a version.', kept: text };
  }
  if (isAction && !others.length) {
    return { errors: answer.diagnostics, message: 'Saved. It runs at the next installation.', kept: 'It does not run before it has none.' };
  }
  return { errors: answer.diagnostics, message: answer.live === false && others.length ? `Saved, but not live yet: ${others.join('; ')}` : 'Saved, and live.' };
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
  const save = async (source) => saved(await call('PUT', path, { source }));
  return html`<${ExtensionNav} namespace=${namespace} part="functions" /><${Title} text=${`${namespace}__${name}`} />
    <${Loaded} from=${shown}>${(loaded) => html`<${FunctionEditor} source=${loaded.source} where=${() => ({ namespace, name })} save=${save} invoke=${invoke} history=${historyOf(path)} />`}<//>`;
}

// ---- custom properties --------------------------------------------------------------------------

/** Makes a property, or changes `property`. */
function PropertyDialog({ namespace, property, taken, onClose, onDone }) {
  const [values, setValues] = useState({ field_name: '', api_name: null, value: '', secret: false, ...property });
  const set = (name) => (value) => setValues({ ...values, [name]: value });
  const apiName = (values.api_name ?? namespaceOf(values.field_name)).trim();
  const submit = async () => {
    const { field_name, value, secret } = values;
    if (!field_name.trim()) {
      throw new Error('Enter a Field Name: it is what people see in the settings.');
    }
    if (!/^[A-Za-z][A-Za-z0-9_]*$/.test(apiName)) {
      throw new Error('An API name is letters, digits and underscores, and begins with a letter.');
    }
    if (!property && taken.some((one) => one.toLowerCase() === apiName.toLowerCase())) {
      throw new Error(`There is a property ${apiName} already. Choose another API name.`);
    }
    await onDone(await call('PUT', api(namespace, 'variables', seg(apiName)), { field_name: field_name.trim(), value, secret }));
  };
  return html`<${Dialog} name=${property ? `Edit ${property.field_name}` : 'Create Custom Property'} submit="Save" onClose=${onClose} onSubmit=${submit}>
    <${Field} label="Field Name" value=${values.field_name} onInput=${set('field_name')} />
    <${Field} label="API Name" value=${apiName} readonly=${Boolean(property)} onInput=${set('api_name')} hint="Scripts read it by this name." />
    <${Field} label="Value" value=${values.value} onInput=${set('value')} hint=${values.secret ? 'Sealed where the extension is installed, in no file, and never shown again.' : 'What an org begins with.'} />
    <${Check} label="Secret" checked=${values.secret} onChange=${set('secret')} /><//>`;
}

export const warningsOf = (messages) => (messages ?? []).filter((one) => one.level !== 'info').map((one) => one.text).join('\n');

export function CustomProperties({ namespace }) {
  const list = useLoad(async () => (await get(api(namespace))).variables, namespace);
  const [open, setOpen] = useState(null);
  const [removing, setRemoving] = useState(null);
  const empty = html`<strong>No custom properties yet</strong><p>A custom property is a value that each org fills in when it installs the extension, such as the key of another service.</p>`;
  const done = async (answer) => {
    setOpen(null);
    await list.reload();
    const told = warningsOf(answer.messages);
    sayBoth(`${answer.field_name} is saved.`, told && `${answer.field_name}: ${told}`);
  };
  const remove = async () => {
    await call('DELETE', api(namespace, 'variables', seg(removing.api_name)));
    setRemoving(null);
    await list.reload();
    say(`${removing.field_name} is deleted.`);
  };
  return html`<${ExtensionNav} namespace=${namespace} part="custom-properties" />
    <${Title} text="Custom Properties">${may('developer') && html`<button type="button" class="main" onClick=${() => setOpen({})}>Create</button>`}<//>
    <${Loaded} from=${list}>${(all) => html`<${Table} name="Custom Properties" columns=${['Field Name', 'API Name', 'Value', 'Secret', ...(may('developer') ? ['Actions'] : [])]} rows=${all} empty=${empty}>
      ${(one) => html`<tr key=${one.api_name}><th scope="row">${one.field_name}</th><td><code>${one.api_name}</code></td><td class="long">${one.secret ? '' : one.value}</td><td>${one.secret ? 'yes' : 'no'}</td>
        ${may('developer') && html`<td><div class="actions"><button type="button" class="small" onClick=${() => setOpen({ property: one })}>${`Edit ${one.field_name}`}</button>
          <button type="button" class="small danger" onClick=${() => setRemoving(one)}>${`Delete ${one.field_name}`}</button></div></td>`}</tr>`}<//>`}<//>
    ${open && html`<${PropertyDialog} ...${open} namespace=${namespace} taken=${(list.data ?? []).map((one) => one.api_name)} onClose=${() => setOpen(null)} onDone=${done} />`}
    ${removing && html`<${Dialog} name=${`Delete ${removing.field_name}`} submit="Delete" onClose=${() => setRemoving(null)} onSubmit=${remove}><p>Scripts that read it get nothing any more.</p><//>`}`;
}

// ---- install actions ----------------------------------------------------------------------------

const actions = {
  on_installation: { name: 'Extension - On Installation', text: 'Runs when an org has installed the extension. If it fails, the installation is taken back.' },
  on_update: { name: 'Extension - On Update', text: 'Runs when an org takes a newer version; without it, On Installation does.' },
  on_uninstallation: { name: 'Extension - On Uninstallation', text: 'Runs before the extension is taken away.' },
};

export function InstallActions({ namespace }) {
  const shown = useLoad(async () => (await get(api(namespace))).actions.filter((one) => one.exists).map((one) => one.name), namespace);
  return html`<${ExtensionNav} namespace=${namespace} part="install-actions" /><${Title} text="Install Actions" lead="Scripts that run when the extension comes and goes." />
    <div class="cards">${Object.entries(actions).map(([key, one]) => html`<section class="card"><h2><a href=${here(namespace, 'install-actions', key)}>${one.name}</a></h2><p class="soft">${one.text}</p>
      <p>${shown.data?.includes(key) ? html`<span class="badge good">written</span>` : shown.data && html`<span class="badge">empty</span>`}</p></section>`)}</div>`;
}

export function InstallAction({ namespace, action }) {
  const path = api(namespace, 'actions', seg(action));
  const shown = useLoad(() => get(path), `${namespace}/${action}`);
  const save = async (source) => saved(await call('PUT', path, { source }), true);
  return html`<${ExtensionNav} namespace=${namespace} part="install-actions" /><${Title} text=${actions[action]?.name ?? action} lead=${actions[action]?.text} />
    <${Loaded} from=${shown}>${(loaded) => html`<${FunctionEditor} source=${loaded.source ?? ''} isNew=${!loaded.source} where=${() => ({ namespace, name: action })} save=${save} history=${historyOf(path)} />`}<//>`;
}

// ---- what else is in it ---------------------------------------------------------------------------

export function ExtensionContents({ namespace }) {
  const shown = useLoad(() => get(api(namespace)), namespace);
  return html`<${ExtensionNav} namespace=${namespace} part="contents" />
    <${Title} text="Contents" lead="What the extension brings besides its functions. Signals, schedules and widgets are written in extension.json; here they are shown." />
    <${Loaded} from=${shown}>${(one) => html`<${Contents} extension=${one} />`}<//>`;
}

// ---- publish ------------------------------------------------------------------------------------

async function loadVersions(namespace) {
  const [draft, published] = await Promise.all([get(api(namespace)), get(`/control/ext/${seg(namespace)}`).catch(() => null)]);
  return { next: draft.next_version, versions: draft.versions, installed: published?.installed ?? [] };
}

/** "desk/functions/order.dg:2:5: error: …": a function's finding leads to its script. */
function Finding({ namespace, level, text }) {
  const found = /^[^/]+\/functions\/([^/:]+)\.dg:(\d+):/.exec(text);
  return html`<li class=${level}>${text}${found && html` <a href=${here(namespace, 'functions', seg(found[1]))}>${`Open ${found[1]}`}</a>`}</li>`;
}

export function Publish({ namespace }) {
  const shown = useLoad(() => loadVersions(namespace), namespace);
  const [typed, setTyped] = useState(null);
  const version = typed ?? shown.data?.next ?? '';
  const [messages, setMessages] = useState([]);
  const publish = async () => {
    setMessages([]);
    try {
      const answer = await call('POST', api(namespace, 'publish'), { version: version.trim() });
      await shown.reload();
      setTyped(null);
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
      ${may('developer') && html`<form class="card publish" onSubmit=${(event) => event.preventDefault()}><${Field} label="Version" value=${version} onInput=${setTyped} /><${Action} class="main" type="submit" onClick=${publish}>Publish<//></form>`}
      ${messages.length > 0 && html`<ul class="problems section" aria-label="Findings">${messages.map((one) => html`<${Finding} namespace=${namespace} ...${one} />`)}</ul>`}
      <section class="section"><h2>Versions</h2><${Table} name="Versions" columns=${['Version', 'Published', 'Installed in']} rows=${data.versions} empty=${html`<strong>Nothing is published yet</strong><p>Publish the first version above.</p>`}>
        ${(one) => html`<tr key=${one.version}><th scope="row">${one.version}</th><td>${timeText(one.published_time)}</td><td>${orgs(data, one.version)}</td></tr>`}<//></section>`}<//>`;
}
