// SPDX-License-Identifier: Apache-2.0
//
// A request of one's own to this server, answered as a client of the REST API would get it.
import { useId, useState } from 'preact/hooks';
import { Action, Field, Title, complain, copy, html } from '../ui.js';
import { send } from '../api.js';

const examples = [
  ['GET', '/crm/v8/Leads?fields=Full_Name,Company,Email', ''],
  ['POST', '/crm/v8/Leads', '{"data": [{"Last_Name": "Okafor", "Company": "Northwind"}]}'],
  ['POST', '/crm/v8/coql', '{"select_query": "select Last_Name, Company from Leads where Last_Name is not null limit 10"}'],
  ['GET', '/crm/v8/settings/modules', ''],
];

const types = ['application/json', 'application/x-www-form-urlencoded', 'text/plain'];
const bodiless = (method) => method === 'GET' || method === 'HEAD';

function pretty(text) {
  try {
    // Numbers longer than a double holds stay as they came: only the layout is wanted here.
    return /[0-9]{16}/.test(text.replaceAll(/"(?:[^"\\]|\\.)*"/g, '')) ? text : JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text;
  }
}

export function Reply({ reply }) {
  return html`<section class="panel" aria-label="Reply">
    <h2>Reply</h2>
    ${reply
      ? html`<p><span class=${`badge ${reply.status < 400 ? 'good' : 'bad'}`}>${reply.status}</span> <span class="hint">${reply.ms} ms, ${reply.text.length} characters</span></p>
        <pre tabindex="0" aria-label="Body of the reply">${pretty(reply.text) || '(no body)'}</pre>
        <details open><summary>Headers</summary><dl class="facts mono">${reply.headers.map(([name, value]) => html`<dt>${name}</dt><dd>${value}</dd>`)}</dl></details>`
      : html`<p class="none">Send a request to see what comes back.</p>`}
  </section>`;
}

export function ApiConsole() {
  const [method, setMethod] = useState('GET');
  const [path, setPath] = useState(examples[0][1]);
  const [body, setBody] = useState('');
  const [type, setType] = useState(types[0]);
  const [reply, setReply] = useState(null);
  const id = useId();
  const submit = async () => {
    // The whole address of a function, as the console copies it, is a path of this server too.
    const own = path.trim().startsWith(`${location.origin}/`) ? path.trim().slice(location.origin.length) : path.trim();
    if (!own.startsWith('/') || own.startsWith('//')) {
      complain('A path begins with one slash, as /crm/v8/Leads. Other servers are not asked from here.');
      return;
    }
    const start = performance.now();
    const answer = await send(method, own, { type, body: bodiless(method) ? undefined : body });
    setReply({ ...answer, ms: Math.round(performance.now() - start) });
  };
  const take = ([newMethod, newPath, newBody]) => {
    setMethod(newMethod);
    setPath(newPath);
    setBody(newBody);
  };
  return html`<${Title} text="API console" lead="Requests go to this server, as you, in the chosen environment." />
    <div class="split">
      <form class="stack" onSubmit=${(event) => event.preventDefault()}>
        <div class="filled request-line"><div class="field"><label for=${id}>Method</label>
          <select id=${id} value=${method} onChange=${(event) => setMethod(event.target.value)}>${['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'HEAD'].map((name) => html`<option>${name}</option>`)}</select></div>
          <${Field} label="Path" value=${path} onInput=${setPath} class="code-input" /></div>
        <${Field} label="Body" multiline value=${body} onInput=${setBody} rows="10" hint=${bodiless(method) ? `${method} sends none.` : undefined} />
        <div class="actions"><${Action} class="main" type="submit" onClick=${submit}>Send<//>
          ${!bodiless(method) && html`<select aria-label="Content type" value=${type} onChange=${(event) => setType(event.target.value)}>${types.map((one) => html`<option>${one}</option>`)}</select>`}${reply && html`<button type="button" onClick=${() => copy(reply.text, 'The reply')}>Copy reply</button>`}</div>
        <details class="card"><summary>Examples</summary><ul class="stack">${examples.map((one) => html`<li><button type="button" class="link" onClick=${() => take(one)}>${one[0]} ${one[1]}</button></li>`)}</ul></details>
      </form>
      <${Reply} reply=${reply} />
    </div>`;
}
