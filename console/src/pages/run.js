// SPDX-License-Identifier: Apache-2.0
//
// One run in full: what was asked, what the script saw of it, what it said and did, what was answered; and doing it again.
import { useState } from 'preact/hooks';
import { Action, Dialog, Field, Loaded, Table, Title, copy, html, say, timeText, useLoad } from '../ui.js';
import { call, get, may, seg } from '../api.js';
import { go } from '../router.js';
import { Log } from '../editor/script-editor.js';
import { Outcome, duration, number } from './run-parts.js';
import { curlOf, saveTest, testOf } from './run-export.js';

const calls = ['rest', 'function', 'replay']; // triggers
const notKept = 'It is kept in memory, for the newest runs since the server began.';

// ---- request and reply --------------------------------------------------------------------------

function Headers({ headers }) {
  return headers.length === 0 ? null : html`<dl class="facts mono">${headers.map(([name, value]) => html`<dt>${name}</dt><dd>${value}</dd>`)}</dl>`;
}

function Body({ of }) {
  if (of.body_base64) {
    return html`<p class="none">${number(of.body_bytes)} bytes that are no text, as base64${of.cut && ', cut'}:</p><pre tabindex="0">${of.body_base64}</pre>`;
  }
  return of.body === ''
    ? html`<p class="none">No body.</p>`
    : html`<pre tabindex="0">${of.body}</pre>${of.cut && html`<p class="none">Cut: ${number(of.body_bytes)} bytes in all.</p>`}`;
}

function Request({ request, seen, seenName, trigger }) {
  return html`<section class="panel" aria-label="Request"><h2 aria-hidden="true">Request</h2>${request
    ? html`<p class="mono request-line-text"><strong>${request.method}</strong> ${request.path}${request.query && `?${request.query}`}</p><${Headers} headers=${request.headers} /><${Body} of=${request} />
        ${seen && html`<details><summary><code>${seenName}</code> as the script saw it</summary><pre tabindex="0">${JSON.stringify(seen, null, 2)}</pre></details>`}`
    : html`<p class="none">${calls.includes(trigger) ? `The request of this run is not kept. ${notKept}` : `Nobody called: this run was started by ${trigger}.`}</p>`}</section>`;
}

function Reply({ reply }) {
  return html`<section class="panel" aria-label="Reply"><h2 aria-hidden="true">Reply</h2>${reply
    ? html`<p><span class=${`badge ${reply.status < 400 ? 'good' : 'bad'}`}>${reply.status}</span></p><${Headers} headers=${reply.headers} /><${Body} of=${reply} />`
    : html`<p class="none">The reply of this run is not kept. ${notKept}</p>`}</section>`;
}

// ---- services and requests ----------------------------------------------------------------------

function Bar({ call: one, whole }) {
  const at = (one.start_ms / whole) * 100;
  const long = Math.max(0.6, (one.duration_ms / whole) * 100);
  return html`<svg class="waterfall" viewBox="0 0 100 10" preserveAspectRatio="none" aria-hidden="true"><rect class=${one.outcome === 'ok' ? 'calls' : 'errors'} x=${Math.min(at, 99.4)} y="1" width=${Math.min(long, 100)} height="8" /></svg>`;
}

function Calls({ run }) {
  if (!run.calls || run.calls.length === 0) {
    return null;
  }
  const whole = Math.max(0.001, run.duration_ms, ...run.calls.map((one) => one.start_ms + one.duration_ms));
  return html`<section class="section"><h2>Services and requests</h2>
    <${Table} name="Calls" columns=${['Service', 'About', 'Outcome', 'Begins', 'Takes', `Over ${duration(whole)}`]} numbers=${['Begins', 'Takes']} rows=${run.calls}>
      ${(one, at) => html`<tr key=${at}><th scope="row" class="mono">${one.name}</th><td class="mono">${one.method} ${one.detail}</td><td>${one.status ? html`<span class=${`badge ${one.outcome === 'ok' ? 'good' : 'bad'}`}>${one.status}</span>` : html`<${Outcome} outcome=${one.outcome} />`}</td>
        <td class="number">${duration(one.start_ms)}</td><td class="number">${duration(one.duration_ms)}</td><td class="chart-cell"><${Bar} call=${one} whole=${whole} /></td></tr>`}<//>
    ${run.calls_made > run.calls.length && html`<p class="hint">${number(run.calls_made)} in all; only the first are kept.</p>`}</section>`;
}

// ---- the script ---------------------------------------------------------------------------------

const besideMax = 3; // log lines shown beside one source line

/** The source that ran, each line with what it logged. */
function Source({ run }) {
  if (!run.source) {
    return run.statements_max && html`<p class="hint section">The script has been changed since this run; the one that ran is not kept.</p>`;
  }
  const said = new Map();
  for (const entry of run.log ?? []) {
    said.set(entry.line, [...(said.get(entry.line) ?? []), entry.text]);
  }
  const line = (text, at) => {
    const texts = said.get(at + 1) ?? [];
    const failed = run.error && run.error.line === at + 1;
    return html`<tr key=${at} class=${failed ? 'failed' : texts.length > 0 ? 'said' : ''}><th scope="row">${at + 1}</th><td class="code">${text}</td>
      <td class="beside">${texts.slice(0, besideMax).map((one) => html`<span>${one}</span>`)}${texts.length > besideMax && html`<span class="soft">and ${number(texts.length - besideMax)} more</span>`}${failed && html`<span class="error-text">${run.error.message}</span>`}</td></tr>`;
  };
  return html`<section class="section"><h2>Source</h2><div class="table-frame source" tabindex="0" role="group" aria-label="Source, scrollable"><table aria-label="Source">
    <thead class="hidden"><tr><th scope="col">Line</th><th scope="col">Script</th><th scope="col">Log</th></tr></thead><tbody>${run.source.replace(/\n$/, '').split('\n').map(line)}</tbody></table></div></section>`;
}

// ---- again --------------------------------------------------------------------------------------

const headerLines = (headers) => headers.map(([name, value]) => `${name}: ${value}`).join('\n');

function readHeaders(text) {
  return text.split('\n').filter((line) => line.trim() !== '').map((line) => {
    const at = line.indexOf(':');
    if (at < 1) {
      throw new Error(`“${line}” is no header; write it as name: value.`);
    }
    return [line.slice(0, at).trim(), line.slice(at + 1).trim()];
  });
}

function EditDialog({ request, onClose, onReplay }) {
  const [method, setMethod] = useState(request.method);
  const [text, setText] = useState(request.query);
  const [headers, setHeaders] = useState(headerLines(request.headers));
  const [body, setBody] = useState(request.body);
  const send = async () => {
    const edit = { method: method.trim(), query: text.trim(), headers: readHeaders(headers) };
    const same = body === request.body && (request.cut || request.body_base64);
    await onReplay(same ? edit : { ...edit, body });
  };
  return html`<${Dialog} name="Edit and replay" wide submit="Replay" onClose=${onClose} onSubmit=${send}>
    <${Field} label="Method" value=${method} onInput=${setMethod} />
    <${Field} label="Query" value=${text} onInput=${setText} hint="What stands behind the ? of the URL. *** is the key, which stays as it was." />
    <${Field} label="Headers" value=${headers} onInput=${setHeaders} multiline rows="6" hint="One a line, name: value. Those with *** stay as they were." />
    <${Field} label="Body" value=${body} onInput=${setBody} multiline rows="8" hint=${request.body_base64 ? 'The body is no text; it is sent as it was unless you write another one.' : request.cut ? 'Not all of the body is kept; write the whole body.' : undefined} />
  <//>`;
}

// ---- the page -----------------------------------------------------------------------------------

function Facts({ run }) {
  const { error } = run;
  return html`<dl class="facts card run-facts"><dt>Function</dt><dd><a href=${`/console/runs?function=${seg(run.function)}`}>${run.function}</a> ${run.version}</dd>
    <dt>Outcome</dt><dd><${Outcome} outcome=${run.outcome} /></dd><dt>Time</dt><dd>${timeText(run.time)}</dd><dt>Duration</dt><dd>${duration(run.duration_ms)}</dd>
    <dt>Statements</dt><dd>${number(run.statements)}${run.statements_max && ` of ${number(run.statements_max)}`}</dd><dt>Started by</dt><dd>${run.trigger}</dd>
    ${error && html`<dt>Error</dt><dd class="error-text whole">${error.line ? `Line ${error.line}: ` : ''}${error.message ?? String(error)}</dd>`}</dl>`;
}

export function Run({ id }) {
  const loaded = useLoad(() => get(`/control/runs/${seg(id)}`), id);
  const [editing, setEditing] = useState(false);
  const run = loaded.data;
  const replay = async (edit) => {
    const answer = await call('POST', `/control/runs/${seg(id)}/replay`, edit);
    setEditing(false);
    go(`/runs/${seg(answer.id)}`);
    say(`Run ${id} was replayed; this is the new run.`);
  };
  const repeatable = run?.request && calls.includes(run.trigger) && may('developer');
  const buttons = run?.request && html`<${Action} onClick=${async () => copy(await curlOf(run), 'The curl line')}>Copy as curl<//>
    ${testOf(run) && html`<${Action} onClick=${async () => say(await saveTest(run))}>Save as a test<//>`}
    ${repeatable && html`<button type="button" onClick=${() => setEditing(true)}>Edit and replay</button><${Action} class="main" onClick=${() => replay()}>Replay<//>`}`;
  return html`<${Title} text=${`Run ${id}`}>${buttons}<//>
    <${Loaded} from=${loaded}>${(one) => html`<${Facts} run=${one} />
      <div class="split section">
        <div class="stack"><${Request} trigger=${one.trigger} request=${one.request} seen=${one.crmAPIRequest ?? one.requestMap} seenName=${one.requestMap ? 'requestMap' : 'crmAPIRequest'} /><${Reply} reply=${one.reply} /></div>
        <${Log} entries=${one.log ?? []} empty="This run logged nothing: an info statement writes a line here." />
      </div>
      <${Calls} run=${one} /><${Source} run=${one} />`}<//>
    ${editing && html`<${EditDialog} request=${run.request} onClose=${() => setEditing(false)} onReplay=${replay} />`}`;
}
