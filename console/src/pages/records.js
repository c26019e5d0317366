// SPDX-License-Identifier: Apache-2.0
//
// Records of every module: the modules, one module's list with search and filter, one record with its notes and related lists.
// All of it comes from the CRM's own REST API, so a page shows what a client of that API would get.
import { useEffect, useState } from 'preact/hooks';
import { Action, Dialog, Field, Loaded, Table, Title, html, say, timeText, useLoad } from '../ui.js';
import { call, get, may, query, rows, seg } from '../api.js';
import { getQuery, go, setQuery } from '../router.js';
import { FilterBar, filterText, readFilter, toCriteria, writeFilter } from './record-filter.js';
import { RecordForm, editable } from './record-form.js';
import { Value, api, cellClass, loadFields, loadModule, loadModules, nameField, recordName, textOf } from './modules.js';

const listColumns = ['Company', 'Account_Name', 'Email', 'Phone', 'Stage', 'Amount', 'Status', 'Lead_Status', 'Due_Date', 'Start_DateTime', 'Grand_Total'];
const plainTypes = new Set(['text', 'email', 'phone', 'picklist', 'currency', 'integer', 'double', 'date', 'datetime', 'boolean', 'website', 'autonumber', 'lookup']);
const ownFields = new Set(['id', 'Converted__s', 'Locked__s', 'Record_Status__s', 'Email_Opt_Out', 'Created_By', 'Modified_By', 'Created_Time', 'Modified_Time', 'Last_Activity_Time', 'Layout', 'Tag', 'Owner']);
const perPage = 50;
const rowsMax = 2000; // as far as a list goes by page numbers (spec/crm-api.md)

function chooseColumns(module) {
  const shown = module.fields.filter((field) => field.api_name !== module.nameField && plainTypes.has(field.data_type) && !ownFields.has(field.api_name));
  const known = listColumns.map((name) => shown.find((field) => field.api_name === name)).filter(Boolean);
  const custom = shown.filter((field) => field.custom_field);
  const others = shown.filter((field) => !field.read_only);
  return [...new Set([...known, ...custom, ...others])].slice(0, 4);
}

// ---- modules ------------------------------------------------------------------------------------

export function Records() {
  const modules = useLoad(loadModules, 'modules');
  return html`<${Title} text="Records" lead="What the CRM of this environment holds. Choose a module." />
    <${Loaded} from=${modules}>${(all) => html`<nav aria-label="Modules"><ul class="module-list">
      ${all.filter((module) => module.generated_type !== 'subform').map((module) => html`<li><a href=${`/console/records/${seg(module.api_name)}`}>${module.plural_label}</a></li>`)}
    </ul></nav>`}<//>`;
}

// ---- one module ---------------------------------------------------------------------------------

const hasTime = (module) => module.fields.some((field) => field.api_name === 'Created_Time');
// What the REST API answers no search of.
const unsearched = new Set(['Attachments', 'Consents', 'Data_Subject_Requests']);

async function loadPage(module, columns, { word, filter, page }) {
  const timed = hasTime(module);
  const fields = [...new Set([module.nameField, ...columns.map((field) => field.api_name), timed ? 'Created_Time' : 'id'])].filter((name) => name !== 'id').join(',') || 'id';
  const common = { fields, page, per_page: perPage, sort_by: timed ? 'Created_Time' : 'id', sort_order: 'desc' };
  const criteria = filter ? toCriteria(module.fields, filter) : '';
  const searches = criteria || word.length > 1;
  const answer = await get(`${api}/${seg(module.api_name)}${searches ? '/search' : ''}${query({ ...common, criteria, word: criteria || !searches ? '' : word })}`);
  return { records: rows(answer, 'data'), more: answer?.info?.more_records ?? false };
}

function emptyText(module, { word, filter }) {
  if (filter) {
    return html`<strong>No record fits the filter</strong><p>${filterText(module.fields, filter)}. Change it, or clear it to see all.</p>`;
  }
  return word.length > 1
    ? html`<strong>Nothing found for “${word}”</strong><p>The search looks for words that begin so, in every field that can be searched.</p>`
    : html`<strong>No ${module.plural_label} yet</strong><p>Make one here, or let a function make it: <code>zoho.crm.createRecord("${module.api_name}", …)</code></p>`;
}

function Pager({ page, more, onPage }) {
  const last = page * perPage >= rowsMax;
  return (page > 1 || more) && html`<nav class="pager" aria-label="Pages">
    <button type="button" disabled=${page === 1} onClick=${() => onPage(page - 1)}>Newer</button><span class="hint">Page ${page}</span>
    <button type="button" disabled=${!more || last} onClick=${() => onPage(page + 1)}>Older</button>
    ${more && last && html`<span class="hint">Search or filter to reach what is older.</span>`}</nav>`;
}

function RecordTable({ module, asked, onPage }) {
  const columns = chooseColumns(module);
  const list = useLoad(() => loadPage(module, columns, asked), JSON.stringify([module.api_name, asked]));
  const head = [`${module.singular_label} Name`, ...columns.map((field) => field.field_label), ...(hasTime(module) ? ['Created'] : [])];
  const numeric = columns.filter((field) => cellClass(field) === 'number').map((field) => field.field_label);
  return html`<${Loaded} from=${list}>${({ records, more }) => html`
    <${Table} name=${module.plural_label} columns=${head} numbers=${numeric} rows=${records} empty=${emptyText(module, asked)}>
      ${(record) => html`<tr key=${record.id}>
        <th scope="row"><a href=${`/console/records/${seg(module.api_name)}/${seg(record.id)}`}>${recordName(module, record)}</a></th>
        ${columns.map((field) => html`<td class=${cellClass(field)} title=${cellClass(field) === 'clip' ? textOf(record[field.api_name]) : undefined}><${Value} field=${field} value=${record[field.api_name]} /></td>`)}
        ${hasTime(module) && html`<td class="when">${timeText(record.Created_Time)}</td>`}</tr>`}
    <//>
    <${Pager} page=${asked.page} more=${more} onPage=${onPage} />`}<//>`;
}

/** A record of these is made on another record's page, which it belongs to. */
const madeElsewhere = (module) => module.fields.some((field) => field.system_mandatory && !editable(field)) || ['Attachments', 'Data_Subject_Requests'].includes(module.api_name);

export function ModuleRecords({ module: name }) {
  const module = useLoad(() => loadModule(name), name);
  const [typed, setTyped] = useState(getQuery('q'));
  const [asked, setAsked] = useState(() => ({ word: getQuery('q'), filter: readFilter(getQuery('filter')), page: Math.max(1, Number.parseInt(getQuery('page'), 10) || 1) }));
  const [creating, setCreating] = useState(false);
  const ask = (change) => {
    const now = { ...asked, page: 1, ...change };
    setAsked(now);
    setQuery({ q: now.word, filter: writeFilter(now.filter), page: now.page > 1 ? String(now.page) : '' });
  };
  useEffect(() => {
    const word = typed.trim();
    if (word === asked.word) {
      return undefined;
    }
    const timer = setTimeout(() => ask({ word, ...(word && { filter: null }) }), 250);
    return () => clearTimeout(timer);
  }, [typed]);
  const filterBy = (filter) => {
    setTyped('');
    ask({ word: '', filter });
  };
  const label = module.data?.plural_label ?? name.replaceAll('_', ' ');
  const created = (id) => {
    setCreating(false);
    go(`/records/${seg(name)}/${seg(id)}`);
    say(`${module.data.singular_label} created.`);
  };
  const mayCreate = module.data?.creatable && may('developer') && !madeElsewhere(module.data);
  return html`<p class="crumbs">In <a href="/console/records">Records</a></p>
    <${Title} text=${label}>${mayCreate && html`<button type="button" class="main" onClick=${() => setCreating(true)}>New ${module.data.singular_label}</button>`}<//>
    ${!unsearched.has(name) && html`<div class="tools"><input type="search" aria-label="Search" placeholder="Search words, e-mail addresses, numbers" value=${typed} onInput=${(event) => setTyped(event.target.value)} />
      ${module.data && html`<${FilterBar} fields=${module.data.fields} filter=${asked.filter} onFilter=${filterBy} />`}</div>`}
    <${Loaded} from=${module}>${(loaded) => html`<${RecordTable} module=${loaded} asked=${asked} onPage=${(page) => ask({ page })} />`}<//>
    ${creating && html`<${RecordForm} module=${module.data} onClose=${() => setCreating(false)} onDone=${created} />`}`;
}

// ---- one record ---------------------------------------------------------------------------------

async function loadRecord(name, id) {
  const [module, answer] = await Promise.all([loadModule(name), get(`${api}/${seg(name)}/${seg(id)}`)]);
  const record = rows(answer, 'data')[0];
  if (!record) {
    throw new Error(`There is no record ${id} in ${module.plural_label}. It may have been deleted.`);
  }
  return { module, record };
}

function Fields({ module, record, all }) {
  const filled = (field) => all || !['', '[]'].includes(textOf(record[field.api_name]) || '');
  const shown = module.fields.filter((field) => field.api_name in record && filled(field));
  const order = [...shown.filter((field) => !ownFields.has(field.api_name)), ...shown.filter((field) => ownFields.has(field.api_name))];
  return html`<${Table} name="Fields" columns=${['Field', 'Value']} rows=${order}>
    ${(field) => html`<tr><th scope="row" title=${field.api_name}>${field.field_label}</th><td class="long"><${Value} field=${field} value=${record[field.api_name]} /></td></tr>`}
  <//>`;
}

function Notes({ module, id }) {
  const [adding, setAdding] = useState(false);
  const path = `${api}/${seg(module.api_name)}/${seg(id)}/Notes`;
  const notes = useLoad(async () => rows(await get(`${path}?fields=Note_Title,Note_Content,Created_Time,Owner`), 'data'), id);
  const remove = async (note) => {
    await call('DELETE', `${path}/${seg(note.id)}`);
    say('Note deleted.');
    await notes.reload();
  };
  return html`<section class="section" aria-labelledby="notes-title">
    <div class="section-head"><h2 id="notes-title">Notes</h2>${may('developer') && html`<button type="button" onClick=${() => setAdding(true)}>Add Note</button>`}</div>
    <${Loaded} from=${notes}>${(all) => all.length === 0
      ? html`<p class="soft">No notes on this record.</p>`
      : html`<ul class="stack">${all.map((note) => html`<li class="card" key=${note.id}>
          ${note.Note_Title && html`<h3>${note.Note_Title}</h3>`}<p class="long">${note.Note_Content}</p>
          <div class="section-head"><span class="hint">${textOf(note.Owner)}, ${timeText(note.Created_Time)}</span>
          ${may('developer') && html`<${Action} class="small danger" aria-label=${`Delete note ${note.Note_Title ?? ''}`.trim()} onClick=${() => remove(note)}>Delete<//>`}</div></li>`)}</ul>`}<//>
    ${adding && html`<${NoteDialog} path=${path} onClose=${() => setAdding(false)} onDone=${() => (setAdding(false), say('Note added.'), notes.reload())} />`}
  </section>`;
}

function NoteDialog({ path, onClose, onDone }) {
  const [title, setTitle] = useState('');
  const [text, setText] = useState('');
  const submit = async () => {
    await call('POST', path, { data: [{ Note_Title: title || undefined, Note_Content: text }] });
    onDone();
  };
  return html`<${Dialog} name="Add Note" submit="Save" onClose=${onClose} onSubmit=${submit}>
    <${Field} label="Title" value=${title} onInput=${setTitle} />
    <${Field} label="Note" multiline value=${text} onInput=${setText} />
  <//>`;
}

const ownLists = new Set(['Notes', 'Attachments', 'Emails', 'Social', 'CheckLists', 'Locking_Information__s', 'Connected_Records__s']);

async function loadRelated(module, id) {
  const lists = rows(await get(`${api}/settings/related_lists?module=${seg(module.api_name)}`), 'related_lists');
  const useful = lists.filter((list) => list.module?.api_name && !ownLists.has(list.api_name));
  const read = async (list) => {
    const name = list.module.api_name;
    const nameOf = nameField(await loadFields(name));
    const fields = nameOf === 'id' ? 'Created_Time' : `${nameOf},Created_Time`;
    const answer = await get(`${api}/${seg(module.api_name)}/${seg(id)}/${seg(list.api_name)}?fields=${fields}&per_page=20`).catch(() => null);
    return { list, nameOf, records: rows(answer, 'data'), more: answer?.info?.more_records };
  };
  return (await Promise.all(useful.map(read))).filter((one) => one.records.length > 0);
}

function Related({ module, id }) {
  const related = useLoad(() => loadRelated(module, id), id);
  return html`<${Loaded} from=${related}>${(lists) => lists.map(({ list, nameOf, records, more }) => html`
    <section class="section"><h2>${list.display_label}</h2>
      <${Table} name=${list.display_label} columns=${['Name', 'Created']} rows=${records}>
        ${(record) => html`<tr><th scope="row"><a href=${`/console/records/${seg(list.module.api_name)}/${seg(record.id)}`}>${textOf(record[nameOf]) || record.id}</a></th>
          <td class="when">${timeText(record.Created_Time)}</td></tr>`}
      <//>${more && html`<p class="hint">The first 20 are shown.</p>`}</section>`)}<//>`;
}

export function OneRecord({ module: name, id }) {
  const loaded = useLoad(() => loadRecord(name, id), `${name}/${id}`);
  const [all, setAll] = useState(false);
  const [open, setOpen] = useState('');
  const data = loaded.data;
  const remove = async () => {
    const answer = await call('DELETE', `${api}/${seg(name)}/${seg(id)}`);
    if (answer?.data?.[0]?.status === 'error') {
      throw new Error(answer.data[0].message);
    }
    setOpen('');
    go(`/records/${seg(name)}`);
    say(`${data.module.singular_label} moved to the recycle bin.`);
  };
  const changed = async () => {
    setOpen('');
    await loaded.reload();
    say(`${data.module.singular_label} saved.`);
  };
  return html`<p class="crumbs">In <a href="/console/records">Records</a>, <a href=${`/console/records/${seg(name)}`}>${data?.module.plural_label ?? name}</a></p>
    <${Title} text=${data ? recordName(data.module, data.record) : id}>
      ${data && may('developer') && html`<button type="button" onClick=${() => setOpen('edit')}>Edit</button><button type="button" class="danger" onClick=${() => setOpen('delete')}>Delete</button>`}
    <//>
    <${Loaded} from=${loaded}>${({ module, record }) => html`
      <${Fields} module=${module} record=${record} all=${all} />
      <p class="section"><button type="button" class="link" onClick=${() => setAll(!all)}>${all ? 'Hide empty fields' : 'Show empty fields too'}</button></p>
      ${name !== 'Notes' && html`<${Notes} module=${module} id=${id} />`}<${Related} module=${module} id=${id} />
      ${open === 'edit' && html`<${RecordForm} module=${module} record=${record} onClose=${() => setOpen('')} onDone=${changed} />`}
      ${open === 'delete' && html`<${Dialog} name=${`Delete ${recordName(module, record)}`} submit="Delete" onClose=${() => setOpen('')} onSubmit=${remove}>
        <p>It goes to the recycle bin with its notes and attachments.</p><//>`}`}<//>`;
}
