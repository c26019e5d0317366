// SPDX-License-Identifier: Apache-2.0
//
// Connectors of an extension: other services, how they want to be authorised, and the calls that scripts make of them. Every dialog saves at
// once, in the folder or the draft.
import { useState } from 'preact/hooks';
import { Dialog, Field, Loaded, Table, Title, html, useLoad } from '../ui.js';
import { call, get, may, seg } from '../api.js';
import { go } from '../router.js';
import { ExtensionNav, api, here } from './extensions.js';
import { Removal, apiNameOf, changeObject, checkApiName, makeObject, objects, saySaved, textOf, withMembers } from './extension-object.js';
import { ApiDialog, ApiFields, AuthFields, apiForm, apiOf, authForm, authOf, authText } from './connector-forms.js';

/** A connector has at least one API, so its first is asked for with it: the dialog has two steps. */
function CreateConnector({ namespace, onClose }) {
  const [name, setName] = useState('');
  const [apiName, setApiName] = useState(null);
  const [auth, setAuth] = useState(authForm());
  const [first, setFirst] = useState(null);
  const chosen = (apiName ?? apiNameOf(name).toLowerCase()).trim();
  const submit = async () => {
    if (!first) {
      if (!name.trim()) {
        throw new Error('Enter a Name: the service’s.');
      }
      checkApiName(chosen);
      authOf(auth);
      setFirst(apiForm());
      return;
    }
    const made = await makeObject(namespace, 'connectors', withMembers({ api_name: chosen, name: name.trim() }, { authorisation: authOf(auth), apis: [apiOf(first)] }));
    onClose();
    go(`/extensions/${seg(namespace)}/connectors/${seg(made.api_name)}`);
    saySaved(made, made.api_name);
  };
  return html`<${Dialog} wide key=${first ? 'api' : 'connector'} name=${first ? 'First API' : 'Create Connector'} submit=${first ? 'Create' : 'Next'} onClose=${onClose} onSubmit=${submit}
      footer=${first && html`<button type="button" onClick=${() => setFirst(null)}>Back</button>`}>
    ${first ? html`<${ApiFields} form=${first} onInput=${setFirst} />` : html`
      <${Field} label="Name" value=${name} onInput=${setName} /><${Field} label="API Name" value=${chosen} onInput=${setApiName} hint=${`Scripts call zoho.crm.invokeConnector("${namespace}.${chosen || '…'}.API", …). It cannot be changed later.`} />
      <${AuthFields} form=${auth} onInput=${setAuth} />`}<//>`;
}

export function ExtensionConnectors({ namespace }) {
  const shown = useLoad(() => get(api(namespace)), namespace);
  const [making, setMaking] = useState(false);
  const [removing, setRemoving] = useState('');
  const writes = may('developer');
  const empty = html`<strong>No connectors yet</strong><p>A connector describes the API of another service, so that scripts call it by name and each org brings its own secrets.</p>`;
  const remove = async () => {
    const answer = await call('DELETE', api(namespace, 'connectors', seg(removing)));
    setRemoving('');
    await shown.reload();
    saySaved({ ...answer, folder: shown.data?.folder }, `${removing} is deleted`);
  };
  return html`<${ExtensionNav} namespace=${namespace} part="connectors" />
    <${Title} text="Connectors" lead="Other services that the extension’s scripts call.">${writes && html`<button type="button" class="main" onClick=${() => setMaking(true)}>Create Connector</button>`}<//>
    <${Loaded} from=${shown}>${(data) => html`<${Table} name="Connectors" columns=${['API name', 'Name', 'APIs', 'File', ...(writes ? ['Actions'] : [])]} numbers=${['APIs']} rows=${data.connectors} empty=${empty}>
      ${(one) => html`<tr key=${one.api_name}><th scope="row"><a href=${here(namespace, 'connectors', seg(one.api_name))}>${one.api_name}</a></th><td>${one.name}</td><td class="number">${one.apis}</td><td><code>${one.file}</code></td>
        ${writes && html`<td><div class="actions"><a class="button small" href=${here(namespace, 'connectors', seg(one.api_name))}>${`Edit ${one.api_name}`}</a>
          <button type="button" class="small danger" onClick=${() => setRemoving(one.api_name)}>${`Delete ${one.api_name}`}</button></div></td>`}</tr>`}<//>`}<//>
    ${making && html`<${CreateConnector} namespace=${namespace} onClose=${() => setMaking(false)} />`}
    ${removing && html`<${Removal} name=${removing} onClose=${() => setRemoving('')} remove=${remove}>${shown.data?.folder
      ? 'Its file goes from the folder, and scripts cannot call it any more. Connections of the org stay.' : 'Its file goes from the draft. Where it is installed it stays until the next version is.'}<//>`}`;
}

// ---- one connector ------------------------------------------------------------------------------

function ServiceDialog({ definition, onClose, onDone }) {
  const [name, setName] = useState(textOf(definition.name));
  const [auth, setAuth] = useState(authForm(definition.authorisation));
  const submit = () => {
    const authorisation = authOf(auth, definition.authorisation);
    return onDone((now) => withMembers(now, { name: name.trim(), authorisation }), definition.api_name);
  };
  return html`<${Dialog} wide name=${`Edit ${definition.api_name}`} submit="Save" onClose=${onClose} onSubmit=${submit}><${Field} label="Name" value=${name} onInput=${setName} /><${AuthFields} form=${auth} onInput=${setAuth} /><//>`;
}

export function ExtensionConnector({ namespace, name }) {
  const shown = useLoad(() => get(api(namespace, 'connectors', seg(name))), `${namespace}/${name}`);
  const [open, setOpen] = useState(null);
  const writes = may('developer');
  const save = async (change, what) => {
    const answer = await changeObject(namespace, 'connectors', name, change);
    setOpen(null);
    await shown.reload();
    saySaved(answer, what);
  };
  const keep = (old) => (one) => save((now) => {
    const at = old ? objects(now.apis).findIndex((other) => textOf(other.api_name) === textOf(old.api_name)) : -1;
    return { ...now, apis: at < 0 ? [...objects(now.apis), one] : objects(now.apis).map((other, index) => (index === at ? one : other)) };
  }, one.api_name);
  const drop = (old) => () => save((now) => ({ ...now, apis: objects(now.apis).filter((one) => textOf(one.api_name) !== textOf(old.api_name)) }), `${old.api_name} is deleted`);
  const title = shown.data?.api_name ?? name;
  return html`<${ExtensionNav} namespace=${namespace} part="connectors" />
    <${Title} text=${title}>${writes && shown.data && html`<button type="button" onClick=${() => setOpen({ what: 'service' })}>Edit Connector</button><button type="button" class="main" onClick=${() => setOpen({ what: 'api' })}>Add API</button>`}<//>
    <${Loaded} from=${shown}>${({ definition, file, folder, draft }) => html`
      <dl class="facts card"><dt>Name</dt><dd>${textOf(definition.name) || title}</dd><dt>Authentication</dt><dd>${authText(definition.authorisation)}</dd>
        <dt>Called as</dt><dd><code>${`zoho.crm.invokeConnector("${namespace}.${title}.${textOf(objects(definition.apis)[0]?.api_name)}", …)`}</code></dd>
        <dt>File</dt><dd><code>${file}</code>${folder ? '' : draft ? ' of the draft' : ' of the newest version'}</dd></dl>
      <section class="section"><h2>APIs</h2><${Table} name="APIs" columns=${['API name', 'Method', 'URL', ...(writes ? ['Actions'] : [])]} rows=${objects(definition.apis)}>
        ${(one) => html`<tr key=${one.api_name}><th scope="row"><code>${textOf(one.api_name)}</code></th><td>${textOf(one.method ?? 'GET').toUpperCase()}</td><td class="long"><code>${textOf(one.url)}</code></td>
          ${writes && html`<td><div class="actions"><button type="button" class="small" onClick=${() => setOpen({ what: 'api', one })}>${`Edit ${textOf(one.api_name)}`}</button>
            <button type="button" class="small danger" onClick=${() => setOpen({ what: 'remove', one })}>${`Delete ${textOf(one.api_name)}`}</button></div></td>`}</tr>`}<//></section>
      ${open?.what === 'service' && html`<${ServiceDialog} definition=${definition} onClose=${() => setOpen(null)} onDone=${save} />`}
      ${open?.what === 'api' && html`<${ApiDialog} one=${open.one} apis=${objects(definition.apis)} onClose=${() => setOpen(null)} onDone=${keep(open.one)} />`}
      ${open?.what === 'remove' && html`<${Removal} name=${textOf(open.one.api_name)} onClose=${() => setOpen(null)} remove=${drop(open.one)}>Scripts that call it fail${folder ? ' from now on' : ' from the next version on'}.<//>`}`}<//>`;
}
