// SPDX-License-Identifier: Apache-2.0
//
// Setup's marketplace: published extensions, installing and upgrading them, and the settings of an installed one.
import { useEffect, useState } from 'preact/hooks';
import { Action, Check, Dialog, Field, Loaded, Table, Tabs, Title, complain, html, say, sayBoth, useLoad } from '../ui.js';
import { call, currentPlace, get, may, seg } from '../api.js';
import { getQuery, setQuery } from '../router.js';
import { Widgets } from './extension-contents.js';
import { SetupNav } from './setup-nav.js';

/** Negative, 0, positive as semantic versions order; a pre-release stands before its release. */
export function compareVersions(a, b) {
  const [aMain, aPre = ''] = a.split('-');
  const [bMain, bPre = ''] = b.split('-');
  const numbers = (text) => text.split('.').map(Number);
  for (let i = 0; i < 3; i++) {
    const difference = (numbers(aMain)[i] || 0) - (numbers(bMain)[i] || 0);
    if (difference) {
      return difference;
    }
  }
  return aPre === bPre ? 0 : aPre === '' ? 1 : bPre === '' ? -1 : aPre < bPre ? -1 : 1;
}

const upgradable = (one) => one.installed && !one.dev && one.published && compareVersions(one.published, one.version) > 0;

/** What an install action logged, as text. */
const logText = (messages) => (messages ?? []).map((message) => message.text).join('\n');

/** A secret is text whose letters are hidden: a password field is no textbox to a screen reader. */
function VariableFields({ variables, values, onChange }) {
  return variables.map((one) => html`<${Field} key=${one.api_name} label=${one.field_name || one.api_name} class=${one.secret ? 'secret' : undefined} value=${values[one.api_name]} hint=${one.secret ? 'Secret: what is stored is never shown; leave empty to keep it.' : undefined}
    onInput=${(value) => onChange({ ...values, [one.api_name]: value })} />`);
}

const startValues = (variables) => Object.fromEntries(variables.map((one) => [one.api_name, one.secret ? '' : (one.value ?? '')]));

/** The values that were changed, by API name. */
const changedValues = (variables, values) => Object.fromEntries(Object.entries(values).filter(([name, value]) => value !== startValues(variables)[name]));

// ---- install ------------------------------------------------------------------------------------

function InstallDialog({ extension, upgrade, variables, onClose, onDone }) {
  const [values, setValues] = useState(() => startValues(variables));
  const verb = upgrade ? 'Upgrade' : 'Install';
  const submit = async () => {
    const path = `/control/ext/${upgrade ? 'upgrade' : 'install'}`;
    const told = upgrade ? {} : { variables: changedValues(variables, values) };
    try {
      const answer = await call('POST', path, { namespace: extension.namespace, version: extension.published, ...told });
      onDone(upgrade ? `${extension.name} ${extension.published} is installed; it is upgraded.` : `${extension.name} ${extension.published} is installed.`, logText(answer.messages));
    } catch (failure) {
      if (failure.body?.messages) {
        onClose();
        sayBoth(`${extension.name} is ${upgrade ? 'as it was before' : 'not installed'}. Log of the install action:\n${logText(failure.body.messages)}`, `${verb} failed: ${failure.message}`);
        return;
      }
      throw failure;
    }
  };
  return html`<${Dialog} name=${`${verb} ${extension.name}`} submit=${verb} onClose=${onClose} onSubmit=${submit}>
    <p>Version ${extension.published} goes into ${currentPlace().org}, ${currentPlace().environment}.${upgrade ? ` It takes the place of ${extension.version}; settings stay.` : ''}</p>
    ${!upgrade && html`<${VariableFields} variables=${variables} values=${values} onChange=${setValues} />`}
  <//>`;
}

function UninstallDialog({ extension, onClose, onDone }) {
  const [wish, setWish] = useState({ drop_data: false, force: false });
  const submit = async () => {
    try {
      const answer = await call('POST', `/control/ext/${seg(extension.namespace)}/uninstall`, wish);
      onDone(`${extension.name} is uninstalled.`, logText(answer.messages));
    } catch (failure) {
      throw failure.body?.messages?.length ? new Error(`${failure.message}\n${logText(failure.body.messages)}`) : failure;
    }
  };
  return html`<${Dialog} name=${`Uninstall ${extension.name}`} submit="Uninstall" onClose=${onClose} onSubmit=${submit}>
    <p>Its functions stop answering and its key ends. Unless you delete them, its records and settings stay and are there again if it is installed again.</p>
    <${Check} label="Delete its records and settings" checked=${wish.drop_data} onChange=${(drop_data) => setWish({ ...wish, drop_data })} />
    <${Check} label="Go on if its uninstallation script fails" checked=${wish.force} onChange=${(force) => setWish({ ...wish, force })} /><//>`;
}

// ---- the two tabs -------------------------------------------------------------------------------

function All({ extensions, onInstall }) {
  const empty = html`<strong>No extensions published yet</strong><p>Publish one from the developer console, or with <code>sluice ext publish DIR</code>.</p><a class="button" href="/console/extensions">To the developer console</a>`;
  return html`<${Table} name="Extensions" columns=${['Name', 'Namespace', 'Version', 'State', 'Actions']} rows=${extensions} empty=${empty}>
    ${(one) => html`<tr key=${one.namespace}><th scope="row">${one.name}</th><td>${one.namespace}</td><td>${one.published ?? one.version}</td>
      <td>${one.installed ? html`<span class="badge good">${one.dev ? 'served from a folder' : `installed ${one.version}`}</span>` : html`<span class="badge">not installed</span>`}</td>
      <td><div class="actions">${!one.installed && may('developer') && html`<${Action} class="small main" onClick=${() => onInstall({ extension: one })}>${`Install ${one.name}`}<//>`}
        ${upgradable(one) && may('developer') && html`<${Action} class="small main" onClick=${() => onInstall({ extension: one, upgrade: true })}>${`Upgrade ${one.name}`}<//>`}</div></td></tr>`}
  <//>`;
}

function Installed({ extensions, onUninstall }) {
  const empty = html`<strong>Nothing is installed here</strong><p>Choose an extension in the tab “All”.</p>`;
  return html`<${Table} name="Installed extensions" columns=${['Name', 'Namespace', 'Version', 'Actions']} rows=${extensions.filter((one) => one.installed)} empty=${empty}>
    ${(one) => html`<tr key=${one.namespace}><th scope="row"><a href=${`/console/setup/marketplace/${seg(one.namespace)}`}>${one.name}</a></th><td>${one.namespace}</td>
      <td>${one.version}${one.dev && html` <span class="badge">folder</span>`}</td>
      <td><div class="actions">${may('developer') && html`<button type="button" class="small danger" onClick=${() => onUninstall(one)}>${`Uninstall ${one.name}`}</button>`}</div></td></tr>`}
  <//>`;
}

export function Marketplace() {
  const list = useLoad(() => get('/control/ext?all=true'), 'ext');
  const [tab, setTab] = useState(getQuery('tab') === 'Installed' ? 'Installed' : 'All');
  const [installing, setInstalling] = useState(null);
  const [removing, setRemoving] = useState(null);
  /** The dialog opens with what the version asks for. */
  const begin = async ({ extension, upgrade }) => {
    const variables = upgrade ? [] : await get(`/control/ext/${seg(extension.namespace)}/variables?version=${seg(extension.published)}`);
    setInstalling({ extension, upgrade, variables });
  };
  const choose = (name) => {
    setTab(name);
    setQuery({ tab: name === 'All' ? '' : name });
  };
  const done = async (text, log) => {
    setInstalling(null);
    setRemoving(null);
    await list.reload();
    say(log ? `${text}\n${log}` : text);
  };
  return html`<${SetupNav} here="/setup/marketplace" /><${Title} text="Marketplace" lead="Extensions published on this server." />
    <${Loaded} from=${list}>${(extensions) => html`<${Tabs} name="Marketplace" chosen=${tab} onChoose=${choose} tabs=${[
      { name: 'All', panel: () => html`<${All} extensions=${extensions} onInstall=${begin} />` },
      { name: 'Installed', panel: () => html`<${Installed} extensions=${extensions} onUninstall=${setRemoving} />` },
    ]} />`}<//>
    ${installing && html`<${InstallDialog} ...${installing} onClose=${() => setInstalling(null)} onDone=${done} />`}
    ${removing && html`<${UninstallDialog} extension=${removing} onClose=${() => setRemoving(null)} onDone=${done} />`}`;
}

// ---- an installed extension ---------------------------------------------------------------------

function Settings({ namespace, variables, onSaved }) {
  const [values, setValues] = useState(() => startValues(variables));
  useEffect(() => setValues(startValues(variables)), [variables]);
  const save = async () => {
    const changed = Object.entries(changedValues(variables, values));
    for (const [name, value] of changed) {
      await call('PUT', `/control/ext/${seg(namespace)}/variables/${seg(name)}`, { value });
    }
    await onSaved();
    say(changed.length ? 'Extension settings saved.' : 'Nothing has changed.');
  };
  return html`<section class="card section" aria-label="Extension Settings"><h2>Extension Settings</h2>
    ${variables.length === 0
      ? html`<p class="soft">This extension has no settings.</p>`
      : html`<div class="fields"><${VariableFields} variables=${variables} values=${values} onChange=${setValues} />${may('developer') && html`<div><${Action} class="main" onClick=${save}>Save<//></div>`}</div>`}
  </section>`;
}

export function ExtensionDetails({ namespace }) {
  const shown = useLoad(() => get(`/control/ext/${seg(namespace)}?widgets=true`), namespace);
  const place = currentPlace();
  return html`<${SetupNav} here="/setup/marketplace" />
    <p class="crumbs"><a href="/console/setup/marketplace?tab=Installed">Marketplace</a></p>
    <${Title} text=${shown.data?.name ?? namespace} lead="Extension Details" />
    <${Loaded} from=${shown}>${(extension) => {
      const here = extension.installed.find((one) => one.org === place.org && one.environment === place.environment);
      if (!here) {
        return html`<div class="empty-state"><strong>Not installed in ${place.org}, ${place.environment}</strong><a class="button" href="/console/setup/marketplace">To the marketplace</a></div>`;
      }
      return html`<dl class="facts card"><dt>Namespace</dt><dd>${extension.namespace}</dd><dt>Version</dt><dd>${here.version === 'dev' ? 'as in its folder' : here.version}</dd>
          <dt>Published</dt><dd>${extension.versions.join(', ') || 'never'}</dd></dl>
        <${Settings} namespace=${namespace} variables=${here.variables} onSaved=${shown.reload} />
        ${extension.widgets?.length > 0 && html`<section class="section"><h2>Widgets</h2><${Widgets} namespace=${namespace} widgets=${extension.widgets} /></section>`}
        <section class="section"><h2>Functions</h2><${Table} name="Functions" columns=${['API name', 'URL']} rows=${here.functions} empty=${html`<strong>No functions that can be called</strong>`}>
          ${(one) => html`<tr><th scope="row">${one.api_name}</th><td class="mono long">${one.url.replace(/zapikey=(1003\.).*/, 'zapikey=$1…')}</td></tr>`}<//></section>`;
    }}<//>`;
}
