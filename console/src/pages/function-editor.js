// SPDX-License-Identifier: Apache-2.0
//
// One function in the script editor, whoever owns it: saving, executing, calling it as a REST API, and its saved versions.
// `path` is its resource of the console's API.
import { useRef, useState } from 'preact/hooks';
import { Action, Check, Dialog, Field, copy, failureText, html, say, timeText, useLoad } from '../ui.js';
import { call, may } from '../api.js';
import { ScriptEditor } from '../editor/script-editor.js';

/** A line that calls the function from a shell. */
function curlLine(url, oauth) {
  const address = oauth ? url.replace(/auth_type=apikey&zapikey=.*$/, 'auth_type=oauth') : url;
  const quote = (text) => `'${text.replaceAll("'", `'\\''`)}'`;
  return `curl ${quote(address)}${oauth ? " -H 'Authorization: Zoho-oauthtoken TOKEN'" : ''} -d '{}'`;
}

function UrlField({ kind, url, otherwise, tell }) {
  return html`<div class="filled"><${Field} label=${`${kind} URL`} value=${url} onInput=${() => {}} readonly class="code-input" placeholder=${otherwise} />
    <button type="button" disabled=${!url} onClick=${() => copy(url, `The ${kind.toLowerCase()} URL`, tell)}>${`Copy ${kind} URL`}</button></div>`;
}

function CurlLine({ way, hint, line, tell }) {
  return html`<div class="curl"><p class="hint">${hint}</p><pre tabindex="0">${line}</pre>
    <button type="button" class="small" onClick=${() => copy(line, 'The curl line', tell)}>${`Copy curl line, ${way}`}</button></div>`;
}

const ways = ({ apikey, oauth }) => (!apikey && !oauth ? 'Nobody can call this function from outside now. Scripts still can.' : `It can be called with ${[apikey && 'its API key', oauth && 'an OAuth token'].filter(Boolean).join(' or ')} now.`);

/** The dialog "Invoke as REST API". Its switches work at once. `load` and `change` answer what it is then. */
export function InvokeDialog({ access, load, change, onClose }) {
  const [shown, setShown] = useState(access);
  const [failure, setFailure] = useState('');
  const [said, setSaid] = useState('');
  const queue = useRef({ last: Promise.resolve(), count: 0 });
  const set = (wanted) => {
    setFailure('');
    setSaid('');
    setShown((before) => ({ ...before, ...wanted }));
    queue.current.count++;
    // One after the other, as they were clicked; what the server says is shown when all are through.
    queue.current.last = queue.current.last.then(() => change(wanted)).catch((problem) => (setFailure(failureText(problem)), load().catch(() => access))).then((now) => {
      queue.current.count--;
      if (queue.current.count === 0) {
        setShown(now);
        setSaid(ways(now));
      }
    });
  };
  return html`<${Dialog} wide name="Invoke as REST API" onClose=${onClose} footer=${html`<button type="button" onClick=${onClose}>Close</button>`}>
    <div class="actions"><${Check} label="API Key" checked=${shown.apikey} onChange=${(apikey) => set({ apikey })} />
      <${Check} label="OAuth2" checked=${shown.oauth} onChange=${(oauth) => set({ oauth })} /></div>
    <div role="alert" class="said bad">${failure}</div><div role="status" class="hint">${said}</div>
    <${UrlField} kind="Sandbox" url=${shown.sandbox_url} tell=${setSaid} otherwise=${shown.has_sandbox ? 'Not in the sandbox' : 'This org has no sandbox'} />
    <${UrlField} kind="Production" url=${shown.production_url} tell=${setSaid} otherwise="Not installed" />
    ${shown.apikey && shown.production_url && html`<${CurlLine} way="API key" hint="With the key; whoever has it may call the function." line=${curlLine(shown.production_url, false)} tell=${setSaid} />`}
    ${shown.oauth && shown.production_url && html`<${CurlLine} way="OAuth2" hint="With a token that has the scope ZohoCRM.functions.execute." line=${curlLine(shown.production_url, true)} tell=${setSaid} />`}
  <//>`;
}

/** Lines of two texts: {mark: ' ', '-', '+', text}. Longest common subsequence; scripts are short. */
export function diffLines(before, after) {
  const a = before.split('\n');
  const b = after.split('\n');
  if (a.length * b.length > 4_000_000) {
    return [...a.map((text) => ({ mark: '-', text })), ...b.map((text) => ({ mark: '+', text }))];
  }
  const common = Array.from({ length: a.length + 1 }, () => new Uint32Array(b.length + 1));
  for (let i = a.length - 1; i >= 0; i--) {
    for (let k = b.length - 1; k >= 0; k--) {
      common[i][k] = a[i] === b[k] ? common[i + 1][k + 1] + 1 : Math.max(common[i + 1][k], common[i][k + 1]);
    }
  }
  const lines = [];
  for (let i = 0, k = 0; i < a.length || k < b.length; ) {
    if (i < a.length && k < b.length && a[i] === b[k]) {
      lines.push({ mark: ' ', text: a[i] });
      i++, k++;
    } else if (k >= b.length || (i < a.length && common[i + 1][k] >= common[i][k + 1])) {
      lines.push({ mark: '-', text: a[i++] });
    } else {
      lines.push({ mark: '+', text: b[k++] });
    }
  }
  return lines;
}

/** Saved versions of a script, each with what restoring it would change. */
export function HistoryDialog({ history: { load, restore: put }, source, onClose, onRestored }) {
  const history = useLoad(load, 'history');
  const [chosen, setChosen] = useState(null);
  const restore = async () => {
    await put(chosen);
    onRestored(chosen);
  };
  const versions = history.data ?? [];
  const restorable = chosen && chosen.source !== source && may('developer');
  return html`<${Dialog} wide name="History" submit="Restore" onClose=${onClose} onSubmit=${restorable ? restore : null}
      footer=${!restorable && html`<button type="button" onClick=${onClose}>Close</button>`}>
    ${history.failure && html`<p role="alert">${failureText(history.failure)}</p>`}
    <div class="history"><ul class="versions">${versions.map((one) => html`<li><button type="button" class="plain" aria-pressed=${chosen === one} onClick=${() => setChosen(one)}>Version ${one.number}<span class="hint">${timeText(one.saved_time)}</span></button></li>`)}</ul>
      ${chosen
        ? html`<pre class="diff" tabindex="0" aria-label="What restoring changes">${diffLines(source, chosen.source).map((line) => html`<span class=${line.mark === '+' ? 'added' : line.mark === '-' ? 'gone' : ''}>${`${line.mark} ${line.text}\n`}</span>`)}</pre>`
        : html`<p class="soft">Choose a version to see what restoring it would change.</p>`}</div>
  <//>`;
}

/**
 * @param source the script as it is kept
 * @param where () → {namespace, name}: as what it is executed
 * @param save (source) → {errors}
 * @param isNew nothing is saved yet
 * @param invoke {load: () → access, change: (switches) → access}, or null where it has no URL; access is {apikey, oauth, sandbox_url, production_url}
 * @param history {load: () → [{number, saved_time, source}], restore: (one of them)}, or null before the first save
 */
export function FunctionEditor({ source, isNew, where, save, invoke, history, canExecute = true }) {
  const [kept, setKept] = useState(null);
  const [version, setVersion] = useState(0);
  const [open, setOpen] = useState('');
  const [access, setAccess] = useState(null);
  const keep = async (script) => {
    const answer = await save(script);
    setKept(script);
    return answer;
  };
  const execute = (script, values) => call('POST', '/control/execute', { source: script, arguments: values, ...where() });
  const show = async () => {
    setAccess(await invoke.load());
    setOpen('invoke');
  };
  const restored = async (chosen) => {
    setOpen('');
    setKept(chosen.source);
    setVersion(version + 1);
    say(`Version ${chosen.number} is restored.`);
  };
  const { namespace, name } = where();
  const text = kept ?? source;
  return html`<${ScriptEditor} key=${version} source=${text} isNew=${isNew} save=${keep} execute=${canExecute ? execute : null} context=${{ name: `${namespace || 'standalone'}.${name || 'script'}` }}>
      ${invoke && may('developer') && html`<${Action} onClick=${show}>Invoke as REST API<//>`}
      ${history && html`<${Action} onClick=${() => setOpen('history')}>History<//>`}
    <//>
    ${open === 'invoke' && html`<${InvokeDialog} access=${access} load=${invoke.load} change=${invoke.change} onClose=${() => setOpen('')} />`}
    ${open === 'history' && html`<${HistoryDialog} history=${history} source=${text} onClose=${() => setOpen('')} onRestored=${restored} />`}`;
}
