// SPDX-License-Identifier: Apache-2.0
//
// Setup: its first page, and the org's own functions.
import { useRef, useState } from 'preact/hooks';
import { Action, Dialog, Field, Loaded, Select, Table, Tabs, Title, html, say, useLoad } from '../ui.js';
import { call, get, inBoth, may, seg } from '../api.js';
import { base, rename } from '../router.js';
import { SetupNav, setupGroups } from './setup-nav.js';
import { FunctionEditor } from './function-editor.js';

export function Setup() {
  return html`<${SetupNav} here="" /><${Title} text="Setup" lead="What this org automates, and what it has installed." />
    <div class="cards">${setupGroups.flatMap(({ group, links }) => links.map((link) => html`<section class="card"><h2>${link.title ?? group}</h2><p class="soft">${link.text}</p>
      <p><a href=${`/console${link.path}`} aria-label=${`Open ${link.title ?? group}`}>Open</a></p></section>`))}</div>`;
}

// ---- actions ------------------------------------------------------------------------------------

function FunctionTable({ functions, onRemove }) {
  const empty = html`<strong>No functions yet</strong><p>A function of the org is a script that answers at a URL of its own, at once and without an extension.</p>
    ${may('developer') && html`<a class="button main" href="/console/setup/functions/new">Write the first one</a>`}`;
  return html`<${Table} name="Functions" columns=${['Name', 'Kind', 'Callable with', ...(may('developer') ? ['Actions'] : [])]} rows=${functions} empty=${empty}>
    ${(one) => html`<tr key=${one.id}><th scope="row"><a href=${`/console/setup/functions/${seg(refOf(one))}`}>${one.api_name}</a></th><td>${one.kind}</td>
      <td>${one.kind !== 'standalone' ? html`<span class="soft">by name only</span>` : [one.apikey && 'API key', one.oauth && 'OAuth'].filter(Boolean).join(', ') || html`<span class="soft">nothing</span>`}</td>
      ${may('developer') && html`<td><div class="actions"><button type="button" class="small danger" onClick=${() => onRemove(one)}>${`Delete ${one.api_name}`}</button></div></td>`}</tr>`}
  <//>`;
}

export function Actions() {
  const functions = useLoad(() => get('/control/fn'), 'fn');
  const [removing, setRemoving] = useState(null);
  const remove = async () => {
    await call('DELETE', `/control/fn/${seg(removing.name)}`);
    setRemoving(null);
    await functions.reload();
    say(`${removing.api_name} is deleted.`);
  };
  const panel = () => html`${may('developer') && html`<div class="tools"><a class="button main" role="button" href="/console/setup/functions/new" onKeyDown=${pressBySpace}>Configure Function</a></div>`}
    <${Loaded} from=${functions}>${(all) => html`<${FunctionTable} functions=${all} onRemove=${setRemoving} />`}<//>`;
  return html`<${SetupNav} here="/setup/actions" /><${Title} text="Actions" lead="Functions that belong to this org." />
    <${Tabs} name="Actions" chosen="Functions" onChoose=${() => {}} tabs=${[{ name: 'Functions', panel }]} />
    ${removing && html`<${Dialog} name=${`Delete ${removing.api_name}`} submit="Delete" onClose=${() => setRemoving(null)} onSubmit=${remove}><p>Its URL stops answering, and its saved versions go with it.</p><//>`}`;
}

/** A link that is called a button is also pressed by the space bar. */
function pressBySpace(event) {
  if (event.key === ' ') {
    event.preventDefault();
    event.currentTarget.click();
  }
}

// ---- writing one --------------------------------------------------------------------------------

async function freeName() {
  const taken = new Set((await get('/control/fn')).map((one) => one.api_name.toLowerCase()));
  for (let number = 1; ; number++) {
    if (!taken.has(`function_${number}`)) {
      return `function_${number}`;
    }
  }
}

export function ConfigureFunction() {
  const name = useLoad(freeName, 'name');
  return html`<${SetupNav} here="/setup/actions" />
    <${Title} text="Configure Function" lead="How do you want to begin?" />
    <${Loaded} from=${name}>${(free) => html`<div class="cards"><section class="card"><h2><a href=${`/console/setup/functions/${seg(free)}`}>Write your own</a></h2>
      <p class="soft">An empty script in the editor. It answers at its URL as soon as it is saved.</p></section></div>`}<//>`;
}

const kinds = ['standalone', 'button', 'automation', 'schedule', 'validation_rule', 'related_list', 'salessignals'];
const isCallable = (kind) => (kind ?? 'standalone') === 'standalone';

/** What a new script begins with. The name is a word of the script, whatever stands in the field while it is typed. */
function template(kind, name) {
  const word = name.replace(/[^A-Za-z0-9_]/g, '') || 'script';
  return isCallable(kind) ? `string standalone.${word}(map crmAPIRequest)\n{\n\tinfo crmAPIRequest.get("body");\n\treturn "";\n}\n` : `void ${kind}.${word}()\n{\n\tinfo "";\n}\n`;
}

/** A function's part of an address: its name, with the kind before it unless it is a standalone one. "new" is another page's. */
const refOf = (one) => (isCallable(one.kind) && one.api_name !== 'new' ? one.api_name : one.name);

const taken = async (name) => (await get('/control/fn')).find((one) => [one.api_name, one.name].some((known) => known.toLowerCase() === name.toLowerCase()));

async function loadFunction(name) {
  try {
    return await get(`/control/fn/${seg(name)}`);
  } catch (failure) {
    if (failure.status !== 404) {
      throw failure;
    }
    const other = await taken(name);
    return other ? get(`/control/fn/${seg(other.name)}`) : { isNew: true };
  }
}

const accessOf = async (name, one) => ({ apikey: one.apikey, oauth: one.oauth, ...(await inBoth(async (environment) => (await get(`/control/fn/${seg(name)}`, environment)).url)) });

function NewFields({ name, kind, onName, onKind }) {
  return html`<${Field} label="Function Name" value=${name} onInput=${onName} hint="Letters, digits and underscores. It becomes part of the URL." />
    <${Select} label="Kind" value=${kind} options=${kinds} onInput=${onKind} hint=${isCallable(kind) ? 'Answers at a URL of its own.' : 'Run by its name only: it has no URL.'} />`;
}

/** `name` is what the address says. */
function Writing({ name: first, loaded }) {
  const [known, setKnown] = useState(loaded.isNew ? null : loaded);
  const [name, setName] = useState(loaded.api_name ?? first);
  const [kind, setKind] = useState(loaded.kind ?? 'standalone');
  const beginning = useRef('');
  if (!known) {
    beginning.current = template(kind, name);
  }
  const put = (source, switches) => call('POST', '/control/fn', { functions: [{ file: `${name.trim()}.dg`, source }], name: name.trim(), keep: true, ...switches });
  const save = async (source) => {
    if (!known && (await taken(name.trim()))) {
      throw new Error(`There is a function ${name.trim()} already. Choose another name.`);
    }
    const answer = await put(source, known && isCallable(known.kind) ? { apikey: known.apikey, oauth: known.oauth } : { kind });
    const [one] = answer.functions;
    setKnown(one);
    setName(one.api_name);
    setKind(one.kind);
    rename(`/setup/functions/${seg(refOf(one))}`);
    return { errors: one.diagnostics ?? [], kept: one.url || !isCallable(one.kind) ? undefined : 'It answers as soon as it has none.' };
  };
  const invoke = {
    load: async () => accessOf(known.name, await get(`/control/fn/${seg(known.name)}`)),
    change: async (switches) => {
      const now = await get(`/control/fn/${seg(known.name)}`);
      const [one] = (await put(now.source, { apikey: now.apikey, oauth: now.oauth, ...switches })).functions;
      setKnown(one);
      return accessOf(one.name, one);
    },
  };
  const history = {
    load: () => get(`/control/fn/${seg(refOf(known))}/history`),
    restore: ({ number }) => call('POST', `/control/fn/${seg(refOf(known))}/restore/${number}`),
  };
  return html`<${SetupNav} here="/setup/actions" />
    <${Title} text=${known ? name : 'Write your own'} lead=${known && !isCallable(kind) ? `Kind: ${kind}. It is run by its name.` : undefined} />
    <div class="fields tools">${known ? html`<${Field} label="Function Name" value=${name} readonly onInput=${() => {}} />` : html`<${NewFields} name=${name} kind=${kind} onName=${setName} onKind=${setKind} />`}</div>
    <${FunctionEditor} source=${loaded.source ?? beginning.current} isNew=${!known} where=${() => ({ name: name.trim() })} save=${save}
      invoke=${known && isCallable(kind) ? invoke : null} history=${known ? history : null} />`;
}

export function OwnFunction({ name }) {
  const loaded = useLoad(() => loadFunction(name), name);
  if (loaded.data) {
    return html`<${Writing} name=${name} loaded=${loaded.data} />`;
  }
  return html`<${SetupNav} here="/setup/actions" /><${Title} text=${name} /><${Loaded} from=${loaded}>${() => null}<//>`;
}
