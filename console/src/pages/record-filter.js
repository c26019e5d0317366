// SPDX-License-Identifier: Apache-2.0
//
// One condition over the records of a module, as the search of the REST API knows them: {field, operator, value}. It stands in the page's address.
import { useId, useState } from 'preact/hooks';
import { html } from '../ui.js';

const operators = {
  equals: 'is',
  not_equal: 'is not',
  starts_with: 'begins with',
  greater_than: 'is more than',
  less_than: 'is less than',
};
const words = { date: { greater_than: 'is after', less_than: 'is before' }, datetime: { greater_than: 'is after', less_than: 'is before' } };
const byType = {
  text: ['equals', 'not_equal', 'starts_with'],
  picklist: ['equals', 'not_equal'],
  boolean: ['equals'],
  number: ['equals', 'not_equal', 'greater_than', 'less_than'],
  datetime: ['greater_than', 'less_than'],
};
const kinds = {
  text: 'text', email: 'text', phone: 'text', website: 'text', autonumber: 'text', picklist: 'picklist', boolean: 'boolean',
  integer: 'number', bigint: 'number', double: 'number', currency: 'number', percent: 'number', date: 'number', datetime: 'datetime',
};

const canFilter = (field) => kinds[field.data_type] && field.searchable !== false && !['Tag', 'Record_Status__s', 'Locked__s'].includes(field.api_name);
const operatorText = (field, operator) => words[field.data_type]?.[operator] ?? operators[operator];
const shownValue = (field, value) => (field.data_type === 'boolean' ? (value === 'true' ? 'Yes' : 'No') : value.replace('T', ' '));

/** "Company:starts_with:North" → {field, operator, value}; null when it is none. */
export function readFilter(text) {
  const [, field, operator, value] = /^([A-Za-z0-9_]{1,100}):([a-z_]+):(.+)$/s.exec(text) ?? [];
  return operators[operator] ? { field, operator, value } : null;
}

export const writeFilter = (filter) => (filter ? `${filter.field}:${filter.operator}:${filter.value}` : '');

/** In the search's own language, where brackets, commas and backslashes of a value stand behind a backslash. */
export function toCriteria(fields, filter) {
  const field = fields.find((one) => one.api_name === filter.field);
  const time = field?.data_type === 'datetime' ? new Date(filter.value) : null;
  const value = time && !Number.isNaN(time.getTime()) ? time.toISOString().replace(/\.\d+Z$/, '+00:00') : filter.value;
  return `(${filter.field}:${filter.operator}:${value.replace(/[\\(),]/g, '\\$&')})`;
}

export function filterText(fields, filter) {
  const field = fields.find((one) => one.api_name === filter.field) ?? { field_label: filter.field };
  return `${field.field_label} ${operatorText(field, filter.operator)} ${shownValue(field, filter.value)}`;
}

function ValueControl({ id, field, value, onInput }) {
  const input = (event) => onInput(event.target.value);
  if (field.data_type === 'picklist' || field.data_type === 'boolean') {
    const options = field.data_type === 'boolean' ? [['true', 'Yes'], ['false', 'No']] : field.pick_list_values.filter((one) => one.actual_value !== '-None-').map((one) => [one.actual_value, one.display_value]);
    return html`<select id=${id} value=${value} onChange=${input}><option value="">Choose</option>${options.map(([key, text]) => html`<option value=${key}>${text}</option>`)}</select>`;
  }
  const type = { date: 'date', datetime: 'datetime-local' }[field.data_type] ?? (kinds[field.data_type] === 'number' ? 'number' : 'text');
  return html`<input id=${id} type=${type} step=${type === 'number' ? 'any' : undefined} value=${value} onInput=${input} autocomplete="off" />`;
}

function FilterForm({ fields, onFilter }) {
  const id = useId();
  const usable = fields.filter(canFilter).sort((a, b) => a.field_label.localeCompare(b.field_label));
  const [name, setName] = useState((usable.find((field) => field.data_type === 'picklist' && /Status$|Stage$/.test(field.api_name)) ?? usable[0]).api_name);
  const field = usable.find((one) => one.api_name === name);
  const choices = byType[kinds[field.data_type]];
  const [operator, setOperator] = useState('equals');
  const chosen = choices.includes(operator) ? operator : choices[0];
  const [value, setValue] = useState('');
  const submit = (event) => {
    event.preventDefault();
    value.trim() && onFilter({ field: name, operator: chosen, value: value.trim() });
  };
  const choose = (event) => {
    setName(event.target.value);
    setValue('');
  };
  return html`<form class="filter" aria-label="Filter" onSubmit=${submit}>
    <div class="field"><label for=${`${id}-f`}>Field</label><select id=${`${id}-f`} value=${name} onChange=${choose}>${usable.map((one) => html`<option value=${one.api_name}>${one.field_label}</option>`)}</select></div>
    <div class="field"><label for=${`${id}-o`}>Condition</label><select id=${`${id}-o`} value=${chosen} onChange=${(event) => setOperator(event.target.value)}>${choices.map((one) => html`<option value=${one}>${operatorText(field, one)}</option>`)}</select></div>
    <div class="field"><label for=${`${id}-v`}>Value</label><${ValueControl} id=${`${id}-v`} field=${field} value=${value} onInput=${setValue} /></div>
    <button type="submit" disabled=${!value.trim()}>Apply</button>
  </form>`;
}

export function FilterBar({ fields, filter, onFilter }) {
  const [open, setOpen] = useState(false);
  const apply = (one) => {
    setOpen(false);
    onFilter(one);
  };
  return html`<button type="button" aria-expanded=${open} onClick=${() => setOpen(!open)}>Filter</button>
    ${filter && html`<span class="chip">${filterText(fields, filter)}<button type="button" class="plain" aria-label="Clear filter" onClick=${() => onFilter(null)}>✕</button></span>`}
    ${open && html`<${FilterForm} fields=${fields} onFilter=${apply} />`}`;
}
