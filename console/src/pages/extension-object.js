// SPDX-License-Identifier: Apache-2.0
//
// What the pages of modules and of connectors share. Each is one JSON object, which is read anew before a change and sent back whole: members
// that these pages do not know stay as they are, and what the server refuses is said at the form that was sent.
import { useId } from 'preact/hooks';
import { Dialog, html, say, sayBoth } from '../ui.js';
import { call, get, seg } from '../api.js';
import { api, warningsOf } from './extensions.js';

/** @param change answers the object as it shall be; it gets it as it is now. */
export async function changeObject(namespace, kind, name, change) {
  const path = api(namespace, kind, seg(name));
  return call('PUT', path, change((await get(path)).definition));
}

/** Makes one that is not there yet. */
export async function makeObject(namespace, kind, object) {
  const path = api(namespace, kind, seg(object.api_name));
  const taken = await get(path).then(() => true, (failure) => (failure.status === 404 ? false : Promise.reject(failure)));
  if (taken) {
    throw new Error(`There is ${object.api_name} already. Choose another API name.`);
  }
  return call('PUT', path, object);
}

/** Says that it is saved, and what the installation of a served folder said. */
export function saySaved(answer, what) {
  const told = warningsOf(answer.messages);
  const live = answer.folder ? (told ? 'Saved, but not live yet.' : 'Saved, and live.') : 'Saved in the draft. Publish makes it a version.';
  told ? sayBoth(`${what}: ${live}`, told) : say(`${what}: ${live}`);
}

/** "SMS Texts" → "SMS_Texts" */
export const apiNameOf = (label) => label.normalize('NFKD').replace(/[^A-Za-z0-9]+/g, '_').replace(/^[_0-9]+|_+$/g, '').slice(0, 40);

export function checkApiName(name) {
  if (!/^[A-Za-z]\w*$/.test(name) || name.includes('__')) {
    throw new Error('Enter an API Name: letters, digits and single underscores; it begins with a letter.');
  }
  return name;
}

export const taken = (list, name, but) => list.some((one) => one !== but && textOf(one.api_name).toLowerCase() === name.toLowerCase());

/** A text or a number as a text; of anything else nothing. */
export const textOf = (value) => (['string', 'number'].includes(typeof value) ? String(value) : '');

/** A list of objects, whatever a file written by hand holds in its place. */
export const objects = (list) => (Array.isArray(list) ? list.filter((one) => one && typeof one === 'object') : []);

/** A copy with these members; those that are undefined or empty are left out. */
export function withMembers(object, members) {
  return Object.fromEntries(Object.entries({ ...object, ...members }).filter(([name, value]) => !(name in members) || (value !== undefined && value !== '' && value !== false)));
}

/** Like Select, with words for the values. @param options [[value, words]] */
export function Choice({ label, value, options, onInput, hint }) {
  const id = useId();
  return html`<div class="field"><label for=${id}>${label}</label>
    <select id=${id} value=${value} aria-describedby=${hint ? `${id}-hint` : undefined} onChange=${(event) => onInput(event.target.value)}>${options.map(([key, words]) => html`<option key=${key} value=${key}>${words}</option>`)}</select>
    ${hint && html`<p class="hint" id=${`${id}-hint`}>${hint}</p>`}</div>`;
}

/** Asks before `remove` is done. */
export function Removal({ name, children, onClose, remove }) {
  return html`<${Dialog} name=${`Delete ${name}`} submit="Delete" onClose=${onClose} onSubmit=${remove}><p>${children}</p><//>`;
}
