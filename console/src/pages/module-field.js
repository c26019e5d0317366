// SPDX-License-Identifier: Apache-2.0
//
// One field of an extension's module: a dialog that makes or changes its definition (docs/extensions.md).
import { useState } from 'preact/hooks';
import { Check, Dialog, Field, html } from '../ui.js';
import { Choice, apiNameOf, checkApiName, taken, textOf, withMembers } from './extension-object.js';

// Formulas, roll-up summaries and automatic numbers are made in the module's file.
const types = {
  text: 'Single line', textarea: 'Multi-line', email: 'Email', phone: 'Phone', website: 'URL', picklist: 'Pick list', multiselectpicklist: 'Multi-select pick list',
  integer: 'Number', bigint: 'Long integer', double: 'Decimal', currency: 'Currency', percent: 'Percent', boolean: 'Checkbox', date: 'Date', datetime: 'Date and time',
  lookup: 'Look-up', userlookup: 'User', multiselectlookup: 'Multi-select look-up', multiuserlookup: 'Multi-user look-up', address: 'Address', fileupload: 'File upload', imageupload: 'Image upload',
};
const longest = { text: 255, textarea: 50000, email: 100, phone: 30, website: 450, integer: 9, bigint: 18 };
const picked = ['picklist', 'multiselectpicklist'];

export const typeText = (type) => types[type] ?? textOf(type);
export const isMandatory = (field) => Boolean(field.mandatory ?? field.system_mandatory);

const listOf = (value) => (Array.isArray(value) ? value : []);

/** A value may be {actual_value, display_value}; a line that says what it said before stays what it was. */
const lineOf = (value) => textOf(value?.actual_value ?? value);
function valuesOf(lines, before) {
  return lines.split('\n').map((line) => line.trim()).filter(Boolean).map((line) => before.find((value) => lineOf(value) === line) ?? line);
}

function fieldOf(old, form) {
  const has = (list) => list.includes(form.type);
  const length = form.length.trim();
  if (length && !/^[0-9]+$/.test(length)) {
    throw new Error('Length is a number, or empty for the longest.');
  }
  if (has(picked) && !form.values.trim()) {
    throw new Error('Enter the Pick List Values, one a line.');
  }
  if (form.type === 'lookup' && !form.target) {
    throw new Error('Choose the Look-up Module.');
  }
  const mandatory = 'system_mandatory' in old ? 'system_mandatory' : 'mandatory';
  return withMembers(old, {
    api_name: checkApiName(form.api_name), field_label: form.label.trim(), data_type: form.type,
    length: length && form.type in longest ? Number(length) : undefined,
    pick_list_values: has(picked) ? valuesOf(form.values, listOf(old.pick_list_values)) : undefined,
    lookup: has(['lookup', 'multiselectlookup']) && form.target ? { ...old.lookup, module: form.target } : undefined,
    [mandatory]: form.mandatory, unique: form.unique && form.type in longest && (typeof old.unique === 'object' ? old.unique : true),
  });
}

/** @param field the one to change, or nothing; `fields`: all of the module; `modules`: names that a look-up may lead to; `onDone` takes the new definition. */
export function FieldDialog({ field, fields, modules, onClose, onDone }) {
  const old = field ?? {};
  const [form, setForm] = useState({
    label: textOf(old.field_label ?? old.api_name), api_name: field ? textOf(old.api_name) : null, type: textOf(old.data_type) || 'text', length: textOf(old.length), values: listOf(old.pick_list_values).map(lineOf).join('\n'),
    target: textOf(old.lookup?.module), mandatory: isMandatory(old), unique: Boolean(old.unique),
  });
  const set = (name) => (value) => setForm({ ...form, [name]: value });
  const apiName = (form.api_name ?? apiNameOf(form.label)).trim();
  const submit = async () => {
    if (!form.label.trim()) {
      throw new Error('Enter a Label: it is what people see.');
    }
    if (taken(fields, apiName, field)) {
      throw new Error(`There is a field ${apiName} already. Choose another API name.`);
    }
    await onDone(fieldOf(old, { ...form, api_name: apiName }));
  };
  const known = [...new Set([form.target, ...modules])].map((name) => [name, name || 'Choose a module']);
  const offered = Object.entries(form.type in types ? types : { [form.type]: form.type, ...types });
  return html`<${Dialog} name=${field ? `Edit ${textOf(field.api_name)}` : 'Add Field'} submit="Save" onClose=${onClose} onSubmit=${submit}>
    <${Field} label="Label" value=${form.label} onInput=${set('label')} />
    <${Field} label="API Name" value=${apiName} readonly=${Boolean(field)} onInput=${set('api_name')} hint=${field ? undefined : 'Scripts use it, with the namespace before it. It cannot be changed later.'} />
    <${Choice} label="Type" value=${form.type} options=${offered} onInput=${set('type')} />
    ${form.type in longest && html`<${Field} label="Length" value=${form.length} inputmode="numeric" onInput=${set('length')} hint=${form.type === 'textarea' ? 'At most 50000, which makes it a rich text. Empty means 2000.' : `At most ${longest[form.type]}, which is what empty means.`} />`}
    ${picked.includes(form.type) && html`<${Field} label="Pick List Values" multiline rows=${5} value=${form.values} onInput=${set('values')} hint="One a line." />`}
    ${['lookup', 'multiselectlookup'].includes(form.type) && html`<${Choice} label="Look-up Module" value=${form.target} options=${known} onInput=${set('target')} />`}
    <${Check} label="Mandatory" checked=${form.mandatory} onChange=${set('mandatory')} />
    ${form.type in longest && html`<${Check} label="Unique" checked=${form.unique} onChange=${set('unique')} />`}<//>`;
}
