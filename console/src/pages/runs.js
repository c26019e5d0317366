// SPDX-License-Identifier: Apache-2.0
//
// Runs: every call of a function as it comes in, and one of them in full.
import { useEffect, useState } from 'preact/hooks';
import { Action, Check, Loaded, Table, Title, complain, copy, html, say, timeText, useLoad } from '../ui.js';
import { call, get, query, seg } from '../api.js';
import { getQuery, go, setQuery } from '../router.js';
import { Log } from '../editor/script-editor.js';

const pageSize = 100;
const pollMs = 1500;
const outcomes = { ok: ['good', 'ok'], script_error: ['bad', 'script error'], limit: ['warn', 'limit'], refused: ['warn', 'refused'] };

function Outcome({ outcome }) {
  const [look, text] = outcomes[outcome] ?? ['', outcome];
  return html`<span class=${`badge ${look}`}>${text}</span>`;
}

const duration = (ms) => (ms === null || ms === undefined ? '' : ms < 10 ? `${ms.toFixed(1)} ms` : `${Math.round(ms)} ms`);

/** Newest first, and what comes later by itself: asks for runs newer than the last one, while the page is seen. */
function useRuns(failures, name) {
  const filter = { failures: failures ? 'true' : '', function: name };
  const key = `${failures} ${name}`;
  const first = useLoad(() => get(`/control/runs${query({ limit: pageSize, ...filter })}`), key);
  useEffect(() => {
    if (!first.data) {
      return undefined;
    }
    let known = first.data;
    let timer = 0;
    let stopped = false;
    const ask = async () => {
      if (!document.hidden) {
        const answer = await get(`/control/runs${query({ after: known.last, limit: pageSize, ...filter })}`).catch(() => null);
        if (answer && !stopped) {
          const fresh = answer.runs.filter((run) => !known.runs.some((one) => one.id === run.id));
          if (fresh.length || answer.last !== known.last) {
            known = { runs: [...fresh, ...known.runs].slice(0, 1000), last: answer.last };
            first.set(known);
            return;
          }
        }
      }
      timer = setTimeout(ask, pollMs);
    };
    timer = setTimeout(ask, pollMs);
    return () => {
      stopped = true;
      clearTimeout(timer);
    };
  }, [first.data, key]);
  return first;
}

export function Runs() {
  const [failures, setFailures] = useState(getQuery('failures') === 'true');
  const [name, setName] = useState(getQuery('function'));
  const runs = useRuns(failures, name);
  const choose = (checked) => {
    setFailures(checked);
    setQuery({ failures: checked ? 'true' : '' });
  };
  const filter = (text) => {
    setName(text);
    setQuery({ function: text });
  };
  const empty = failures
    ? html`<strong>No failures</strong><p>Every run that is kept went well.</p>`
    : html`<strong>No runs yet</strong><p>Call a function at its URL, and it appears here by itself. The URL is in the dialog “Invoke as REST API” of every function.</p>`;
  return html`<${Title} text="Runs" lead="Every call of a function, as it comes in." />
    <div class="tools"><${Check} label="Failures only" checked=${failures} onChange=${choose} />
      ${name && html`<span class="badge">${name}</span><button type="button" class="link" onClick=${() => filter('')}>All functions</button>`}</div>
    <${Loaded} from=${runs}>${(data) => html`<${Table} name="Runs" columns=${['Run', 'Function', 'Outcome', 'Duration', 'Statements', 'Time']} rows=${data.runs} empty=${empty}>
      ${(run) => html`<tr key=${run.id}><th scope="row" class="mono"><a href=${`/console/runs/${seg(run.id)}`}>${run.id}</a></th>
        <td><button type="button" class="plain as-text" title="Only this function" onClick=${() => filter(run.function)}>${run.function}</button></td>
        <td><${Outcome} outcome=${run.outcome} /></td><td class="number">${duration(run.duration_ms)}</td><td class="number">${run.statements}</td><td class="when">${timeText(run.time)}</td></tr>`}<//>`}<//>`;
}

// ---- one run ------------------------------------------------------------------------------------

function Headers({ headers }) {
  const list = Array.isArray(headers) ? headers.map((one) => (Array.isArray(one) ? one : [one.name, one.value])) : Object.entries(headers ?? {});
  return list.length === 0 ? html`<p class="none">No headers are kept.</p>` : html`<dl class="facts mono">${list.map(([name, value]) => html`<dt>${name}</dt><dd>${value}</dd>`)}</dl>`;
}

function curlOf(request) {
  const quote = (text) => `'${String(text).replaceAll("'", `'\\''`)}'`;
  const headers = Array.isArray(request.headers) ? request.headers : Object.entries(request.headers ?? {});
  const skipped = new Set(['host', 'content-length', 'connection', 'accept-encoding']);
  const lines = headers.filter(([name]) => !skipped.has(name.toLowerCase())).map(([name, value]) => `-H ${quote(`${name}: ${value}`)}`);
  return [`curl -X ${request.method} ${quote(location.origin + request.path)}`, ...lines, ...(request.body ? [`--data-binary ${quote(request.body)}`] : [])].join(' \\\n  ');
}

export function Run({ id }) {
  const loaded = useLoad(() => get(`/control/runs/${seg(id)}`), id);
  const replay = async () => {
    const answer = await call('POST', `/control/runs/${seg(id)}/replay`);
    go(`/runs/${seg(answer.id)}`);
    say(`Run ${id} was replayed; this is the new run.`);
  };
  const run = loaded.data;
  return html`<${Title} text=${`Run ${id}`}>${run?.request && html`<button type="button" onClick=${() => copy(curlOf(run.request), 'The curl line')}>Copy as curl</button><${Action} class="main" onClick=${replay}>Replay<//>`}<//>
    <${Loaded} from=${loaded}>${(one) => html`
      <dl class="facts card"><dt>Function</dt><dd>${one.function} ${one.version}</dd><dt>Outcome</dt><dd><${Outcome} outcome=${one.outcome} /></dd>
        <dt>Time</dt><dd>${timeText(one.time)}</dd><dt>Duration</dt><dd>${duration(one.duration_ms)}</dd><dt>Statements</dt><dd>${one.statements}</dd><dt>Started by</dt><dd>${one.trigger}</dd>
        ${one.error && html`<dt>Error</dt><dd class="error-text">${one.error.line ? `Line ${one.error.line}: ` : ''}${one.error.message ?? String(one.error)}</dd>`}</dl>
      <div class="split section">
        <div class="stack">
          <section class="panel" aria-label="Request"><h2 aria-hidden="true">Request</h2>${one.request
            ? html`<p class="mono request-line-text"><strong>${one.request.method}</strong> ${one.request.path}</p><${Headers} headers=${one.request.headers} />${one.request.body ? html`<pre tabindex="0">${one.request.body}</pre>` : html`<p class="none">No body.</p>`}`
            : html`<p class="none">The request of this run is not kept.</p>`}</section>
          <section class="panel" aria-label="Reply"><h2 aria-hidden="true">Reply</h2>${one.reply
            ? html`<p><span class=${`badge ${one.reply.status < 400 ? 'good' : 'bad'}`}>${one.reply.status}</span></p><${Headers} headers=${one.reply.headers} /><pre tabindex="0">${one.reply.body || '(no body)'}</pre>`
            : html`<p class="none">The reply of this run is not kept.</p>`}</section>
        </div>
        <${Log} entries=${one.log ?? []} empty="This run logged nothing: an info statement writes a line here." />
      </div>`}<//>`;
}
