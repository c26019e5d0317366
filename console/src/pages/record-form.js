// SPDX-License-Identifier: Apache-2.0
//
// The form that makes or changes a record: a control for each field that a client may write, mandatory ones first. What the CRM refuses is said at
// the field that it names.
import { useId, useRef, useState } from 'preact/hooks';
import { Check, Dialog, Field, html } from '../ui.js';
import { Refused, call, seg } from '../api.js';
import { LookupField, searchModule } from './lookup-field.js';
import { api, loadFields, lookupModule, nameField, textOf } from './modules.js';

const inputTypes = { integer: 'number', bigint: 'number', double: 'number', currency: 'number', percent: 'number', date: 'date', datetime: 'datetime-local', email: 'email', website: 'url', phone: 'tel' };
const writable = new Set(['text', 'textarea', 'picklist', 'multiselectpicklist', 'boolean', 'lookup', 'subform', ...Object.keys(inputTypes)]);
const inner = new Set(['id', 'Record_Status__s', 'Locked__s', 'Exchange_Rate', 'Full_Name', 'Tag', 'Created_Time', 'Modified_Time', 'Associated_Id__s']);
const often = /Name|^Email|^Phone|Subject|Title|Stage|Status|Company|Closing|Due|Start_|End_|Amount/;
const ranks = [/Last_Name/, /First_Name/, /Name|Subject|Title/, /Company/, /Email/, /Phone/];

/** Mandatory fields first, then who and where; the rest as the CRM has them. */
function rank(field) {
  const at = ranks.findIndex((one) => one.test(field.api_name));
  return (field.system_mandatory ? 0 : 100) + (at < 0 ? ranks.length : at);
}

const isJson = (field) => field.data_type === 'subform' || field.json_type === 'jsonarray';

export function editable(field) {
  return writable.has(field.data_type) && !field.read_only && !inner.has(field.api_name) && (field.data_type !== 'lookup' || lookupModule(field));
}

/** "2026-01-31T09:30" in the reader's zone. */
function localTime(value) {
  const time = new Date(value);
  return Number.isNaN(time.getTime()) ? '' : new Date(time.getTime() - time.getTimezoneOffset() * 60000).toISOString().slice(0, 16);
}

/** The moment that a control's local time means, as the CRM wants it: "2026-01-31T09:30:00+01:00". */
function sentTime(value) {
  const minutes = -new Date(value).getTimezoneOffset();
  const two = (number) => String(number).padStart(2, '0');
  const size = Math.abs(minutes);
  return `${value.length === 16 ? `${value}:00` : value}${minutes < 0 ? '-' : '+'}${two(Math.floor(size / 60))}:${two(size % 60)}`;
}

/** What a control holds for a record's value. */
function heldValue(field, value) {
  if (field.data_type === 'boolean') {
    return value === true;
  }
  if (field.data_type === 'lookup') {
    return value?.id ? { id: value.id, name: textOf(value) } : null;
  }
  if (field.data_type === 'multiselectpicklist') {
    return Array.isArray(value) ? value : [];
  }
  if (value === null || value === undefined) {
    return '';
  }
  if (field.data_type === 'datetime') {
    return localTime(value);
  }
  return isJson(field) ? JSON.stringify(value, null, 2) : typeof value === 'object' ? textOf(value) : String(value);
}

/** What is sent for what a control holds. */
function sentValue(field, value) {
  if (field.data_type === 'lookup') {
    return value && { id: value.id };
  }
  if (value === '') {
    return null;
  }
  if (isJson(field)) {
    try {
      return JSON.parse(value);
    } catch {
      throw new Mistake(field, 'This is no JSON: a list of objects in brackets, as [{"Quantity": 1}].');
    }
  }
  if (field.data_type === 'datetime') {
    return sentTime(value);
  }
  return inputTypes[field.data_type] === 'number' && field.data_type !== 'bigint' ? Number(value) : value;
}

/** What is wrong with one field. */
class Mistake extends Error {
  constructor(field, text) {
    super(`${field.field_label}: ${text}`);
    this.field = field.api_name;
    this.text = text;
  }
}

/** The CRM's refusal in words for the field that it names; itself when it names none of the form. */
function explain(refusal, fields) {
  const told = refusal instanceof Refused ? refusal.body?.data?.[0] : null;
  const path = String(told?.details?.json_path ?? '').split('.')[2]?.replace(/\[.*/, '');
  const field = fields.find((one) => one.api_name === told?.details?.api_name) ?? fields.find((one) => one.api_name === path);
  if (!field) {
    return told ? new Error(`${told.details?.api_name ? `${told.details.api_name}: ` : ''}${told.message}`) : refusal;
  }
  const words = {
    MANDATORY_NOT_FOUND: 'Fill this in; it may not be empty.',
    DUPLICATE_DATA: 'Another record has this value already.',
    INVALID_DATA: told.details.maximum_length
      ? `This is too long: ${told.details.maximum_length} characters at most.`
      : `This is not valid here${told.details.expected_data_type ? `: it must be of type ${told.details.expected_data_type}` : ''}.`,
  };
  return new Mistake(field, words[told.code] ?? told.message);
}

// ---- controls -----------------------------------------------------------------------------------

function Picklist({ field, value, error, onInput }) {
  const id = useId();
  const several = field.data_type === 'multiselectpicklist';
  const options = field.pick_list_values.filter((one) => one.actual_value !== '-None-');
  const change = (event) => onInput(several ? [...event.target.selectedOptions].map((one) => one.value) : event.target.value);
  return html`<div class="field"><label for=${id}>${field.field_label}${field.system_mandatory && html`<${Mandatory} />`}</label>
    <select id=${id} multiple=${several} aria-invalid=${error ? 'true' : undefined} aria-describedby=${error ? `${id}-hint` : undefined} value=${several ? undefined : value} onChange=${change}>
      ${!several && html`<option value="">None</option>`}
      ${options.map((one) => html`<option value=${one.actual_value} selected=${several ? value.includes(one.actual_value) : undefined}>${one.display_value}</option>`)}
      ${!several && value && !options.some((one) => one.actual_value === value) && html`<option value=${value}>${value}</option>`}
    </select>${error && html`<p class="hint error-text" id=${`${id}-hint`}>${error}</p>`}</div>`;
}

const Mandatory = () => html`<span class="mandatory" aria-hidden="true" title="Mandatory"> *</span>`;

const nameOf = async (module) => nameField(await loadFields(module));

function Control({ field, value, error, onInput }) {
  const common = { label: field.field_label, error, value, onInput };
  if (['picklist', 'multiselectpicklist'].includes(field.data_type) && field.pick_list_values?.length) {
    return html`<${Picklist} field=${field} value=${value} error=${error} onInput=${onInput} />`;
  }
  if (field.data_type === 'boolean') {
    return html`<${Check} label=${field.field_label} checked=${value} onChange=${onInput} />`;
  }
  if (field.data_type === 'lookup') {
    return html`<${LookupField} ...${common} hint="Type to find a record by its name" search=${searchModule(lookupModule(field), nameOf)} />`;
  }
  if (isJson(field)) {
    return html`<${Field} ...${common} multiline rows="4" mark=${field.system_mandatory && html`<${Mandatory} />`} hint="Rows as JSON, as the REST API takes them" />`;
  }
  const type = inputTypes[field.data_type] ?? 'text';
  return html`<${Field} ...${common} type=${type} step=${type === 'number' ? 'any' : undefined} multiline=${field.data_type === 'textarea'}
    aria-required=${field.system_mandatory ? 'true' : undefined} mark=${field.system_mandatory && html`<${Mandatory} />`} />`;
}

// ---- the form -----------------------------------------------------------------------------------

function sameValue(one, other) {
  return JSON.stringify(one) === JSON.stringify(other);
}

/** @param record what is changed; none makes a new one. @param onDone gets the record's id. */
export function RecordForm({ module, record, onClose, onDone }) {
  const fields = module.fields.filter(editable);
  const held = () => Object.fromEntries(fields.map((field) => [field.api_name, heldValue(field, record?.[field.api_name])]));
  const before = useRef(null);
  before.current ??= held();
  const [values, setValues] = useState(before.current);
  const [whole, setWhole] = useState(false);
  const [wrong, setWrong] = useState(null);
  const body = useRef();
  const filled = (field) => !sameValue(before.current[field.api_name], heldValue(field, null));
  const first = fields.filter((field) => field.system_mandatory || field.custom_field || filled(field) || (often.test(field.api_name) && field.data_type !== 'boolean' && !field.api_name.endsWith('__s')));
  const order = [...first, ...(whole ? fields.filter((field) => !first.includes(field)) : [])].sort((a, b) => rank(a) - rank(b));
  const send = async () => {
    const changed = fields.filter((field) => !sameValue(values[field.api_name], before.current[field.api_name]));
    const data = Object.fromEntries(changed.map((field) => [field.api_name, sentValue(field, values[field.api_name])]));
    const path = `${api}/${seg(module.api_name)}${record ? `/${seg(record.id)}` : ''}`;
    const answer = (await call(record ? 'PUT' : 'POST', path, { data: [data] })).data[0];
    if (answer.status === 'error') {
      throw new Refused(400, { data: [answer] });
    }
    return answer.details.id;
  };
  const submit = async () => {
    setWrong(null);
    try {
      onDone(await send());
    } catch (refusal) {
      const reason = explain(refusal, fields);
      if (reason instanceof Mistake) {
        setWrong(reason);
        first.some((field) => field.api_name === reason.field) || setWhole(true);
        setTimeout(() => body.current?.querySelector('[aria-invalid]')?.focus(), 0);
      }
      throw reason;
    }
  };
  return html`<${Dialog} name=${record ? `Edit ${module.singular_label}` : `New ${module.singular_label}`} submit="Save" onClose=${onClose} onSubmit=${submit}>
    <div class="stack" ref=${body}>
    ${order.map((field) => html`<${Control} key=${field.api_name} field=${field} value=${values[field.api_name]} error=${wrong?.field === field.api_name ? wrong.text : undefined}
      onInput=${(value) => setValues((now) => ({ ...now, [field.api_name]: value }))} />`)}
    ${!whole && first.length < fields.length && html`<button type="button" class="link" onClick=${() => setWhole(true)}>Show all ${fields.length} fields</button>`}
    </div>
  <//>`;
}
