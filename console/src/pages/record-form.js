// SPDX-License-Identifier: Apache-2.0
//
// The form that makes or changes a record: a control for each field that a client may write, mandatory ones first.
import { useId, useState } from 'preact/hooks';
import { Check, Dialog, Field, html } from '../ui.js';
import { call, seg } from '../api.js';

const inputTypes = { integer: 'number', bigint: 'number', double: 'number', currency: 'number', percent: 'number', date: 'date', email: 'email', website: 'url', phone: 'tel' };
const writable = new Set(['text', 'textarea', 'picklist', 'boolean', 'datetime', 'lookup', ...Object.keys(inputTypes)]);
const inner = new Set(['id', 'Record_Status__s', 'Locked__s', 'Exchange_Rate', 'Full_Name']);

function editable(field) {
  return writable.has(field.data_type) && !field.read_only && !inner.has(field.api_name);
}

/** What a control shows of a record's value. */
function shownValue(field, value) {
  if (value === null || value === undefined) {
    return field.data_type === 'boolean' ? false : '';
  }
  return typeof value === 'object' ? (value.id ?? '') : value;
}

/** What is sent for what a control holds. */
function sentValue(field, value) {
  if (value === '') {
    return null;
  }
  if (field.data_type === 'lookup') {
    return { id: value };
  }
  return inputTypes[field.data_type] === 'number' && field.data_type !== 'bigint' ? Number(value) : value;
}

function Picklist({ field, value, onInput }) {
  const id = useId();
  return html`<div class="field"><label for=${id}>${field.field_label}</label>
    <select id=${id} value=${value} onChange=${(event) => onInput(event.target.value)}>
      <option value="">None</option>
      ${field.pick_list_values.filter((one) => one.actual_value !== '-None-').map((one) => html`<option value=${one.actual_value}>${one.display_value}</option>`)}
      ${value && !field.pick_list_values.some((one) => one.actual_value === value) && html`<option value=${value}>${value}</option>`}
    </select></div>`;
}

function Control({ field, value, onInput }) {
  if (field.data_type === 'picklist' && field.pick_list_values.length) {
    return html`<${Picklist} field=${field} value=${value} onInput=${onInput} />`;
  }
  if (field.data_type === 'boolean') {
    return html`<${Check} label=${field.field_label} checked=${value === true} onChange=${onInput} />`;
  }
  const hint = field.data_type === 'lookup' ? 'The id of the record' : field.data_type === 'datetime' ? 'As 2026-01-31T09:30:00+00:00' : undefined;
  const type = inputTypes[field.data_type] ?? 'text';
  return html`<${Field} label=${field.field_label} hint=${hint} type=${type} step=${type === 'number' ? 'any' : undefined} multiline=${field.data_type === 'textarea'}
    required=${field.system_mandatory} value=${value} onInput=${onInput} />`;
}

/** @param record what is changed; none makes a new one. @param onDone gets the record's id. */
export function RecordForm({ module, record, onClose, onDone }) {
  const fields = module.fields.filter(editable);
  const [values, setValues] = useState(() => Object.fromEntries(fields.map((field) => [field.api_name, shownValue(field, record?.[field.api_name])])));
  const [whole, setWhole] = useState(false);
  const first = fields.filter((field) => field.system_mandatory || field.custom_field || values[field.api_name] || /Name|Email|Phone|Subject|Stage|Company|Closing/.test(field.api_name));
  const order = [...first, ...(whole ? fields.filter((field) => !first.includes(field)) : [])].sort((a, b) => Number(b.system_mandatory) - Number(a.system_mandatory));
  const submit = async () => {
    const changed = fields.filter((field) => values[field.api_name] !== shownValue(field, record?.[field.api_name]));
    const data = Object.fromEntries(changed.map((field) => [field.api_name, sentValue(field, values[field.api_name])]));
    const path = `/crm/v8/${seg(module.api_name)}${record ? '/' + seg(record.id) : ''}`;
    const answer = (await call(record ? 'PUT' : 'POST', path, { data: [data] })).data[0];
    if (answer.status === 'error') {
      const field = fields.find((one) => one.api_name === answer.details?.api_name);
      throw new Error(field ? `${field.field_label}: ${answer.message}` : answer.message);
    }
    onDone(answer.details.id);
  };
  return html`<${Dialog} name=${record ? `Edit ${module.singular_label}` : `New ${module.singular_label}`} submit="Save" onClose=${onClose} onSubmit=${submit}>
    ${order.map((field) => html`<${Control} key=${field.api_name} field=${field} value=${values[field.api_name]} onInput=${(value) => setValues({ ...values, [field.api_name]: value })} />`)}
    ${!whole && first.length < fields.length && html`<button type="button" class="link" onClick=${() => setWhole(true)}>Show all ${fields.length} fields</button>`}
  <//>`;
}
