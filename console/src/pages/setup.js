// SPDX-License-Identifier: Apache-2.0
//
// Setup: its first page, and the org's own functions.
import { useRef, useState } from 'preact/hooks';
import { Action, Dialog, Field, Loaded, Table, Tabs, Title, html, say, useLoad } from '../ui.js';
import { call, get, inBoth, seg } from '../api.js';
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
    <a class="button main" href="/console/setup/functions/new">Write the first one</a>`;
  return html`<${Table} name="Functions" columns=${['Name', 'Kind', 'Callable with', 'Actions']} rows=${functions} empty=${empty}>
    ${(one) => html`<tr key=${one.id}><th scope="row"><a href=${`/console/setup/functions/${seg(one.api_name)}`}>${one.api_name}</a></th><td>${one.kind}</td>
      <td>${one.kind !== 'standalone' ? html`<span class="soft">by name only</span>` : [one.apikey && 'API key', one.oauth && 'OAuth'].filter(Boolean).join(', ') || html`<span class="soft">nothing</span>`}</td>
      <td><div class="actions"><button type="button" class="small danger" onClick=${() => onRemove(one)}>${`Delete ${one.api_name}`}</button></div></td></tr>`}
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
  const panel = () => html`<div class="tools"><a class="button main" role="button" href="/console/setup/functions/new" onKeyDown=${pressBySpace}>Configure Function</a></div>
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

const template = (name) => `string standalone.${name}(map crmAPIRequest)\n{\n\tinfo crmAPIRequest.get("body");\n\treturn "";\n}\n`;

async function loadFunction(name) {
  try {
    return await get(`/control/fn/${seg(name)}`);
  } catch (failure) {
    const taken = (await get('/control/fn')).some((one) => one.api_name.toLowerCase() === name.toLowerCase());
    if (taken) {
      throw failure;
    }
    return { source: template(name), isNew: true };
  }
}

/** Compile errors of a refused save: {"text": "FILE:LINE:COL: error: MESSAGE"} → {line, column, message}. */
export function errorsOf(messages) {
  return (messages ?? []).flatMap((one) => {
    const found = /:(\d+):(\d+): (error|warning): ([^]*)$/.exec(one.text);
    return found ? [{ line: Number(found[1]), column: Number(found[2]), severity: found[3], message: found[4] }] : [];
  });
}

const accessOf = async (name, one) => ({ apikey: one.apikey, oauth: one.oauth, ...(await inBoth(async (environment) => (await get(`/control/fn/${seg(name)}`, environment)).url)) });

function Writing({ name: first, loaded }) {
  const [saved, setSaved] = useState(!loaded.isNew);
  const [name, setName] = useState(first);
  const current = useRef(first);
  const input = (text) => {
    setName(text);
    current.current = text.trim();
  };
  const put = (source, switches) => call('POST', '/control/fn', { functions: [{ file: `${current.current}.dg`, source }], name: current.current, ...switches });
  const latest = useRef(loaded);
  const save = async (source) => {
    const { apikey, oauth, kind } = latest.current;
    const answer = await put(source, kind && kind !== 'standalone' ? { kind } : { apikey, oauth });
    latest.current = { ...answer.functions[0], source };
    current.current = answer.functions[0].api_name;
    setName(current.current);
    setSaved(true);
    rename(`/setup/functions/${seg(current.current)}`);
    return { errors: errorsOf(answer.messages) };
  };
  const invoke = {
    load: async () => accessOf(current.current, await get(`/control/fn/${seg(current.current)}`)),
    change: async (switches) => {
      const now = await get(`/control/fn/${seg(current.current)}`);
      const answer = await put(now.source, { apikey: now.apikey, oauth: now.oauth, ...switches });
      latest.current = { ...answer.functions[0], source: now.source };
      return accessOf(current.current, answer.functions[0]);
    },
  };
  const callable = saved && (latest.current.kind ?? 'standalone') === 'standalone';
  return html`<${SetupNav} here="/setup/actions" />
    <${Title} text=${saved ? name : 'Write your own'} />
    <div class="fields tools"><${Field} label="Function Name" value=${name} readonly=${saved} onInput=${input} hint=${saved ? undefined : 'Letters, digits and underscores. It becomes part of the URL.'} /></div>
    <${FunctionEditor} source=${loaded.source} where=${() => ({ name: current.current })} save=${save} invoke=${callable ? invoke : null} history=${saved ? name : null} />`;
}

export function OwnFunction({ name }) {
  const loaded = useLoad(() => loadFunction(name), name);
  if (loaded.data) {
    return html`<${Writing} name=${name} loaded=${loaded.data} />`;
  }
  return html`<${SetupNav} here="/setup/actions" /><${Title} text=${name} /><${Loaded} from=${loaded}>${() => null}<//>`;
}
