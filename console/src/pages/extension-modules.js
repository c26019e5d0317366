// SPDX-License-Identifier: Apache-2.0
//
// Modules of an extension: its own ones, and its fields of standard modules. Every dialog saves at once, in the folder or the draft.
import { useState } from 'preact/hooks';
import { Dialog, Field, Loaded, Table, Title, html, useLoad } from '../ui.js';
import { call, get, may, seg } from '../api.js';
import { go } from '../router.js';
import { ExtensionNav, api, here } from './extensions.js';
import { Choice, Removal, apiNameOf, changeObject, checkApiName, makeObject, objects, saySaved, textOf } from './extension-object.js';
import { FieldDialog, isMandatory, typeText } from './module-field.js';
import { loadModules } from './modules.js';

const standardOnes = async () => (await loadModules()).filter((one) => one.generated_type === 'default').map((one) => one.api_name);

function CreateModule({ namespace, onClose }) {
  const standard = useLoad(standardOnes, 'standard');
  const [kind, setKind] = useState('own');
  const [form, setForm] = useState({ singular: '', plural: null, api_name: null, name_field: null, standard: 'Leads' });
  const set = (name) => (value) => setForm({ ...form, [name]: value });
  const plural = form.plural ?? (form.singular && `${form.singular}s`);
  const apiName = form.api_name ?? apiNameOf(plural);
  const nameField = form.name_field ?? (form.singular && `${form.singular} Name`);
  const own = () => {
    if (!form.singular.trim() || !plural.trim()) {
      throw new Error('Enter a Singular Label and a Plural Label: they are what people see.');
    }
    return { api_name: checkApiName(apiName.trim()), singular_label: form.singular.trim(), plural_label: plural.trim(), name_field: { api_name: checkApiName(apiNameOf(nameField) || 'Name'), field_label: nameField.trim() || 'Name' }, fields: [] };
  };
  const submit = async () => {
    const made = await makeObject(namespace, 'modules', kind === 'own' ? own() : { api_name: form.standard, fields: [] });
    onClose();
    go(`/extensions/${seg(namespace)}/modules/${seg(made.api_name)}`);
    saySaved(made, made.api_name);
  };
  return html`<${Dialog} name="Create Module" submit="Create" onClose=${onClose} onSubmit=${submit}>
    <${Choice} label="Kind" value=${kind} options=${[['own', 'A module of its own'], ['standard', 'Fields for a standard module']]} onInput=${setKind} />
    ${kind === 'standard'
      ? html`<${Choice} label="Standard Module" value=${form.standard} options=${(standard.data ?? ['Leads']).map((name) => [name, name])} onInput=${set('standard')} />`
      : html`<${Field} label="Singular Label" value=${form.singular} onInput=${set('singular')} /><${Field} label="Plural Label" value=${plural} onInput=${set('plural')} />
        <${Field} label="API Name" value=${apiName} onInput=${set('api_name')} hint=${`Scripts use it as ${namespace}__${apiName || '…'}. It cannot be changed later.`} />
        <${Field} label="Name Field" value=${nameField} onInput=${set('name_field')} hint="What its records are called by; every record has it." />`}<//>`;
}

export function ExtensionModules({ namespace }) {
  const shown = useLoad(() => get(api(namespace)), namespace);
  const [making, setMaking] = useState(false);
  const [removing, setRemoving] = useState('');
  const writes = may('developer');
  const empty = html`<strong>No modules yet</strong><p>A module is a table of records of its own, with its fields; an extension can give fields to Leads and other standard modules too.</p>`;
  const remove = async () => {
    const answer = await call('DELETE', api(namespace, 'modules', seg(removing)));
    setRemoving('');
    await shown.reload();
    saySaved({ ...answer, folder: shown.data?.folder }, `${removing} is deleted`);
  };
  return html`<${ExtensionNav} namespace=${namespace} part="modules" />
    <${Title} text="Modules" lead="What the extension keeps records of.">${writes && html`<button type="button" class="main" onClick=${() => setMaking(true)}>Create Module</button>`}<//>
    <${Loaded} from=${shown}>${(data) => html`<${Table} name="Modules" columns=${['API name', 'Plural label', 'Fields', 'File', ...(writes ? ['Actions'] : [])]} numbers=${['Fields']} rows=${data.modules} empty=${empty}>
      ${(one) => html`<tr key=${one.api_name}><th scope="row"><a href=${here(namespace, 'modules', seg(one.api_name))}>${one.api_name}</a></th><td>${one.plural_label}</td><td class="number">${one.fields}</td><td><code>${one.file}</code></td>
        ${writes && html`<td><div class="actions"><a class="button small" href=${here(namespace, 'modules', seg(one.api_name))}>${`Edit ${one.api_name}`}</a>
          <button type="button" class="small danger" onClick=${() => setRemoving(one.api_name)}>${`Delete ${one.api_name}`}</button></div></td>`}</tr>`}<//>`}<//>
    ${making && html`<${CreateModule} namespace=${namespace} onClose=${() => setMaking(false)} />`}
    ${removing && html`<${Removal} name=${removing} onClose=${() => setRemoving('')} remove=${remove}>Its file goes from the ${shown.data?.folder ? 'folder' : 'draft'}. Where it is installed, the module and its records stay.<//>`}`;
}

// ---- one module ---------------------------------------------------------------------------------

function LabelsDialog({ definition, onClose, onDone }) {
  const [singular, setSingular] = useState(textOf(definition.singular_label));
  const [plural, setPlural] = useState(textOf(definition.plural_label));
  const submit = async () => {
    if (!singular.trim() || !plural.trim()) {
      throw new Error('Enter a Singular Label and a Plural Label: they are what people see.');
    }
    await onDone((now) => ({ ...now, singular_label: singular.trim(), plural_label: plural.trim() }), definition.api_name);
  };
  return html`<${Dialog} name="Edit Labels" submit="Save" onClose=${onClose} onSubmit=${submit}><${Field} label="Singular Label" value=${singular} onInput=${setSingular} /><${Field} label="Plural Label" value=${plural} onInput=${setPlural} /><//>`;
}

async function loadModule(namespace, name) {
  const [one, extension, all] = await Promise.all([get(api(namespace, 'modules', seg(name))), get(api(namespace)), loadModules()]);
  const standard = all.filter((module) => module.generated_type === 'default').map((module) => module.api_name);
  const installed = all.map((module) => module.api_name).filter((module) => !module.toLowerCase().startsWith(`${namespace}__`.toLowerCase()));
  return { ...one, standard: standard.some((module) => module.toLowerCase() === one.api_name.toLowerCase()), targets: [...new Set([...extension.modules.map((module) => module.api_name), ...installed])] };
}

const about = (field) => (Array.isArray(field.pick_list_values) ? field.pick_list_values.map((value) => textOf(value?.actual_value ?? value)).join(', ') : textOf(field.lookup?.module)) || (textOf(field.length) && `${field.length} characters`);

export function ExtensionModule({ namespace, name }) {
  const shown = useLoad(() => loadModule(namespace, name), `${namespace}/${name}`);
  const [open, setOpen] = useState(null);
  const writes = may('developer');
  const save = async (change, what) => {
    const answer = await changeObject(namespace, 'modules', name, change);
    setOpen(null);
    await shown.reload();
    saySaved(answer, what);
  };
  const keep = (old) => (field) => save((now) => {
    const fields = objects(now.fields);
    const at = old ? fields.findIndex((one) => textOf(one.api_name) === textOf(old.api_name)) : -1;
    return { ...now, fields: at < 0 ? [...fields, field] : fields.map((one, index) => (index === at ? field : one)) };
  }, field.api_name);
  const drop = (old) => () => save((now) => ({ ...now, fields: objects(now.fields).filter((one) => textOf(one.api_name) !== textOf(old.api_name)) }), `${old.api_name} is deleted`);
  const empty = html`<strong>No fields yet</strong><p>Add the first one; the name and the fields that every module has are there without.</p>`;
  return html`<${ExtensionNav} namespace=${namespace} part="modules" />
    <${Title} text=${shown.data?.api_name ?? name}>${writes && shown.data && !shown.data.standard && html`<button type="button" onClick=${() => setOpen({ what: 'labels' })}>Edit Labels</button>`}
      ${writes && shown.data && html`<button type="button" class="main" onClick=${() => setOpen({ what: 'field' })}>Add Field</button>`}<//>
    <${Loaded} from=${shown}>${({ definition, standard, file, targets, draft, folder }) => html`
      <dl class="facts card">${standard
        ? html`<dt>Module</dt><dd>${definition.api_name}, a standard module: the fields here are added to it</dd>`
        : html`<dt>API name</dt><dd><code>${`${namespace}__${definition.api_name}`}</code></dd><dt>Labels</dt><dd>${textOf(definition.singular_label) || definition.api_name}, ${textOf(definition.plural_label) || definition.api_name}</dd>
          <dt>Name field</dt><dd>${textOf(definition.name_field?.field_label ?? definition.name_field?.api_name) || 'Name'}</dd>`}
        <dt>File</dt><dd><code>${file}</code>${folder ? '' : draft ? ' of the draft' : ' of the newest version'}</dd></dl>
      <section class="section"><h2>Fields</h2><${Table} name="Fields" columns=${['API name', 'Label', 'Type', 'Details', 'Rules', ...(writes ? ['Actions'] : [])]} rows=${objects(definition.fields)} empty=${empty}>
        ${(one) => html`<tr key=${one.api_name}><th scope="row"><code>${textOf(one.api_name)}</code></th><td>${textOf(one.field_label ?? one.api_name)}</td><td>${typeText(one.data_type)}</td><td class="long">${about(one)}</td>
          <td>${[isMandatory(one) && 'mandatory', one.unique && 'unique'].filter(Boolean).join(', ')}</td>
          ${writes && html`<td><div class="actions"><button type="button" class="small" onClick=${() => setOpen({ what: 'field', field: one })}>${`Edit ${textOf(one.api_name)}`}</button>
            <button type="button" class="small danger" onClick=${() => setOpen({ what: 'remove', field: one })}>${`Delete ${textOf(one.api_name)}`}</button></div></td>`}</tr>`}<//></section>
      ${open?.what === 'labels' && html`<${LabelsDialog} definition=${definition} onClose=${() => setOpen(null)} onDone=${save} />`}
      ${open?.what === 'field' && html`<${FieldDialog} field=${open.field} fields=${objects(definition.fields)} modules=${targets} onClose=${() => setOpen(null)} onDone=${keep(open.field)} />`}
      ${open?.what === 'remove' && html`<${Removal} name=${textOf(open.field.api_name)} onClose=${() => setOpen(null)} remove=${drop(open.field)}>New installations do not get it. Where it is installed, the field and its values stay.<//>`}`}<//>`;
}
