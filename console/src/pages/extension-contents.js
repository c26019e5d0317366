// SPDX-License-Identifier: Apache-2.0
//
// What an extension brings besides functions: modules, connectors, signals, schedules and widgets, as its manifest and files say.
import { Table, html } from '../ui.js';
import { seg } from '../api.js';

const file = (path) => (path ? html`<code>${path}</code>` : html`<span class="soft">extension.json</span>`);

/** Each widget leads to the page that shows it. */
export function Widgets({ namespace, widgets }) {
  return html`<${Table} name="Widgets" columns=${['Name', 'Location', 'Page']} rows=${widgets}>
    ${(one) => html`<tr key=${one.name}><th scope="row"><a href=${`/console/widgets/${seg(namespace)}/${seg(one.name)}`}>${one.name}</a></th><td>${one.location}</td><td><code>${one.url}</code></td></tr>`}<//>`;
}

const kinds = [
  {
    key: 'modules', title: 'Modules', columns: ['API name', 'Plural label', 'Fields', 'File'],
    row: (one, at) => html`<tr><th scope="row"><a href=${at('modules', one.api_name)}>${one.api_name}</a></th><td>${one.plural_label}</td><td>${one.fields}</td><td>${file(one.file)}</td></tr>`,
  },
  {
    key: 'connectors', title: 'Connectors', columns: ['API name', 'Name', 'APIs', 'File'],
    row: (one, at) => html`<tr><th scope="row"><a href=${at('connectors', one.api_name)}>${one.api_name}</a></th><td>${one.name}</td><td>${one.apis}</td><td>${file(one.file)}</td></tr>`,
  },
  { key: 'signals', title: 'Signals', columns: ['Namespace', 'Name'], row: (one) => html`<tr><th scope="row"><code>${one.namespace}</code></th><td>${one.name}</td></tr>` },
  {
    key: 'schedules', title: 'Schedules', columns: ['Function', 'Times (cron)', 'When missed'],
    row: (one) => html`<tr><th scope="row"><code>${one.function}</code></th><td><code>${one.cron}</code></td><td>${one.missed}</td></tr>`,
  },
];

export function Contents({ extension }) {
  const there = kinds.filter(({ key }) => extension[key]?.length > 0);
  const widgets = extension.widgets ?? [];
  const at = (kind, name) => `/console/extensions/${seg(extension.namespace)}/${kind}/${seg(name)}`;
  if (there.length === 0 && widgets.length === 0) {
    return html`<div class="empty-state"><strong>Functions only</strong><p>Modules and connectors are made on their pages. Signals, schedules and widgets are entries of <code>extension.json</code>: add them in the extension’s folder and serve or publish it.</p></div>`;
  }
  return html`${there.map(({ key, title, columns, row }) => html`<section class="section" key=${key}><h2>${title}</h2><${Table} name=${title} columns=${columns} rows=${extension[key]}>${(one) => row(one, at)}<//></section>`)}
    ${widgets.length > 0 && html`<section class="section"><h2>Widgets</h2><${Widgets} namespace=${extension.namespace} widgets=${widgets} /></section>`}`;
}
