// SPDX-License-Identifier: Apache-2.0
//
// What the CRM tells of its modules and fields, and how their values read.
import { html, timeText } from '../ui.js';
import { get, rows, seg } from '../api.js';

export const api = '/crm/v8';
export const loadModules = async () => rows(await get(`${api}/settings/modules`), 'modules');
export const loadFields = async (module) => rows(await get(`${api}/settings/fields?module=${seg(module)}`), 'fields');

export async function loadModule(module) {
  const [all, fields] = await Promise.all([loadModules(), loadFields(module)]);
  const found = all.find((one) => one.api_name === module) ?? { api_name: module, plural_label: module, singular_label: module };
  return { ...found, fields, nameField: nameField(fields) };
}

/** The field that a record is called by. */
export function nameField(fields) {
  const names = new Set(fields.map((field) => field.api_name));
  const known = ['Full_Name', 'Name', 'Subject', 'Event_Title', 'Note_Title', 'File_Name'].find((name) => names.has(name));
  return fields.find((field) => field.display_field && field.api_name !== 'Last_Name')?.api_name ?? known ?? 'id';
}

/** The module that a lookup leads to, when it is one. */
export function lookupModule(field) {
  const module = field?.lookup?.module?.api_name ?? (typeof field?.lookup?.module === 'string' ? field.lookup.module : null);
  return module === 'se_module' ? null : module;
}

export const recordName = (module, record) => textOf(record[module.nameField]) || textOf(record.Last_Name) || record.id;

export function textOf(value) {
  if (value === null || value === undefined) {
    return '';
  }
  if (Array.isArray(value)) {
    return value.map(textOf).join(', ');
  }
  if (typeof value === 'object') {
    return value.name ?? value.display_value ?? JSON.stringify(value);
  }
  return typeof value === 'boolean' ? (value ? 'Yes' : 'No') : String(value);
}

const numbers = new Set(['currency', 'integer', 'double', 'bigint', 'percent']);
/** The class of a table's cell for a field. */
export const cellClass = (field) => (numbers.has(field.data_type) ? 'number' : ['date', 'datetime', 'phone'].includes(field.data_type) ? 'when' : ['email', 'website'].includes(field.data_type) ? 'clip' : undefined);

export function Value({ field, value }) {
  if (field?.data_type === 'datetime' && value) {
    return html`<time datetime=${value}>${timeText(value)}</time>`;
  }
  const module = lookupModule(field);
  if (module && value?.id) {
    return html`<a href=${`/console/records/${seg(module)}/${seg(value.id)}`}>${textOf(value)}</a>`;
  }
  if (Array.isArray(value) && value.length && typeof value[0] === 'object' && !value[0].name) {
    return html`<pre>${JSON.stringify(value, null, 2)}</pre>`;
  }
  return textOf(value);
}
