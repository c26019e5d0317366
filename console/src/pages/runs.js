// SPDX-License-Identifier: Apache-2.0
//
// Runs: every call of a function as it comes in, newest first, with figures of each function.
import { useEffect, useRef, useState } from 'preact/hooks';
import { Action, Check, Loaded, Table, Title, html, timeText, useLoad } from '../ui.js';
import { get, query, seg } from '../api.js';
import { getQuery, setQuery } from '../router.js';
import { Outcome, duration, number } from './run-parts.js';
import { Figures } from './runs-figures.js';

const pageSize = 50;
const rowsMax = 1000; // in the page; "Older runs" shows what is behind them
const settleMs = 1000; // before the page begins to wait for runs
const waitSeconds = 20; // of one request that waits
const pauseMs = 200; // between two of them while runs come in
const retryMs = 2000; // after one that failed, or was answered at once with nothing

const sleep = (ms, signal) => new Promise((done) => {
  const timer = setTimeout(done, ms);
  signal.addEventListener('abort', () => (clearTimeout(timer), done()), { once: true });
});

/** Until the page is seen: a page in the background must not hold one of the few connections that a browser has. */
const seen = (signal) => new Promise((done) => {
  const look = () => (!document.hidden || signal.aborted) && (document.removeEventListener('visibilitychange', look), done());
  document.addEventListener('visibilitychange', look);
  signal.addEventListener('abort', look, { once: true });
  look();
});

/** Asks for what is newer than `last` again and again, each time waiting for it to come; `take` gets it. Ends with the signal. */
async function follow(last, filter, take, signal) {
  await sleep(settleMs, signal);
  while (!signal.aborted) {
    await seen(signal);
    const ask = new AbortController();
    const stop = () => (document.hidden || signal.aborted) && ask.abort();
    document.addEventListener('visibilitychange', stop);
    signal.addEventListener('abort', stop, { once: true });
    const begun = Date.now();
    const answer = signal.aborted ? null : await get(`/control/runs${query({ ...filter, after: last, limit: pageSize, wait_s: waitSeconds })}`, undefined, ask.signal).catch(() => null);
    document.removeEventListener('visibilitychange', stop);
    if (answer && !signal.aborted) {
      last = answer.last;
      answer.runs.length > 0 && take(answer.runs);
    }
    const idle = !answer || (answer.runs.length === 0 && Date.now() - begun < retryMs);
    await sleep(idle ? retryMs : pauseMs, signal);
  }
}

/** Newest first, and what comes later by itself. */
function useRuns(failures, name) {
  const filter = { failures: failures ? 'true' : '', function: name };
  const key = `${failures} ${name}`;
  const loaded = useLoad(() => get(`/control/runs${query({ limit: pageSize, ...filter })}`), key);
  const known = useRef(null);
  known.current = loaded.data;
  const ready = loaded.data !== null;
  useEffect(() => {
    if (!ready) {
      return undefined;
    }
    const end = new AbortController();
    const take = (fresh) => loaded.set({ ...known.current, runs: [...fresh, ...known.current.runs].slice(0, rowsMax) });
    follow(known.current.last, filter, take, end.signal);
    return () => end.abort();
  }, [ready, key]);
  const older = async () => {
    const before = known.current.runs.at(-1).sequence;
    const answer = await get(`/control/runs${query({ ...filter, before, limit: pageSize })}`);
    loaded.set({ ...known.current, runs: [...known.current.runs, ...answer.runs], end: answer.runs.length < pageSize });
  };
  return { loaded, older };
}

function Row({ run, onChoose }) {
  return html`<tr><th scope="row" class="mono"><a href=${`/console/runs/${seg(run.id)}`}>${run.id}</a></th>
    <td><button type="button" class="plain as-text" title="Only this function" onClick=${() => onChoose(run.function)}>${run.function}</button></td>
    <td><${Outcome} outcome=${run.outcome} /></td><td class="mono">${run.method} ${run.status}</td><td class="number">${duration(run.duration_ms)}</td>
    <td class="number">${number(run.statements)}</td><td class="when">${timeText(run.time)}</td></tr>`;
}

function Empty({ failures, name }) {
  if (failures) {
    return html`<strong>No failures</strong><p>Every run that is kept${name && ` of ${name}`} went well.</p>`;
  }
  return name
    ? html`<strong>No runs of ${name}</strong><p>Call it at its URL, and the run appears here by itself.</p>`
    : html`<strong>No runs yet</strong><p>Call a function at its URL, and it appears here by itself. The URL is in the dialog “Invoke as REST API” of every function.</p>`;
}

export function Runs() {
  const [failures, setFailures] = useState(getQuery('failures') === 'true');
  const [name, setName] = useState(getQuery('function'));
  const { loaded, older } = useRuns(failures, name);
  const choose = (checked) => {
    setFailures(checked);
    setQuery({ failures: checked ? 'true' : '' });
  };
  const filter = (text) => {
    setName(text);
    setQuery({ function: text });
  };
  const more = loaded.data && !loaded.data.end && loaded.data.runs.length >= pageSize;
  const allowed = loaded.data?.statements_max;
  const columns = ['Run', 'Function', 'Outcome', 'Call', 'Duration', allowed ? `Statements (of ${number(allowed)})` : 'Statements', 'Time'];
  return html`<${Title} text="Runs" lead="Every call of a function, as it comes in." />
    <div class="tools"><${Check} label="Failures only" checked=${failures} onChange=${choose} />
      ${name && html`<span class="badge">${name}</span><button type="button" class="link" onClick=${() => filter('')}>All functions</button>`}</div>
    <${Figures} name=${name} newest=${loaded.data?.runs[0]?.sequence} onChoose=${filter} />
    <${Loaded} from=${loaded}>${(data) => html`<${Table} name="Runs" columns=${columns} numbers=${columns.filter((text) => /^(Duration|Statements)/.test(text))} rows=${data.runs} empty=${html`<${Empty} failures=${failures} name=${name} />`}>
      ${(run) => html`<${Row} key=${run.sequence} run=${run} onChoose=${filter} />`}<//>
      ${more && html`<p class="after-table"><${Action} onClick=${older}>Older runs<//></p>`}`}<//>`;
}
