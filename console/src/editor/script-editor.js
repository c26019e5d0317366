// SPDX-License-Identifier: Apache-2.0
//
// The script editor as every page uses it: the editor, its buttons, Problems, Log messages and Result. What saving and executing mean is
// the page's; what is an error is the program's, asked while one types.
import { useEffect, useRef, useState } from 'preact/hooks';
import { Action, Dialog, Field, complain, failureText, html, say } from '../ui.js';
import { call, get, may } from '../api.js';
import { guardClosing } from '../router.js';
import { keepUnsaved, readUnsaved } from './unsaved.js';

let languageTable = null;

/** The rows of the program's own tables, fetched once a page load; without them the editor only lacks completion. */
async function loadTable() {
  if (!languageTable) {
    const answer = await get('/control/language').catch(() => null);
    const keywords = (answer?.keywords ?? []).map((name) => ({ name, keyword: true }));
    languageTable = [...keywords, ...(answer?.builtins ?? [])];
  }
  return languageTable;
}

/** @param entries [{line, text}] */
export function Log({ entries, empty }) {
  return html`<section class="panel"><h2 aria-hidden="true">Log messages</h2>
    <div role="log" aria-label="Log messages" tabindex="0" class="log-frame">${entries.length > 0
      ? html`<ul class="log">${entries.map((entry) => html`<li><span class="line">${entry.line}</span> <span>${entry.text}</span></li>`)}</ul>`
      : html`<p class="none">${empty}</p>`}</div></section>`;
}

function Problems({ problems, onGo }) {
  return html`<section class="panel" aria-label="Problems"><h2 aria-hidden="true">Problems</h2>
    ${problems.length > 0
      ? html`<ul class="problems">${problems.map((problem) => html`<li class=${problem.severity}><button type="button" class="link" onClick=${() => onGo(problem)}>${`Line ${problem.line}: ${problem.message}`}</button></li>`)}</ul>`
      : ''}</section>`;
}

function ArgumentsDialog({ wanted, values, onChange, onClose, onExecute }) {
  return html`<${Dialog} name="Arguments" submit="Execute" onClose=${onClose} onSubmit=${onExecute}>
    ${wanted.map((one) => html`<${Field} key=${one.name} label=${one.name} hint=${hintOf(one)} multiline=${isJson(one)} rows=${isJson(one) ? 4 : undefined} value=${values[one.name] ?? ''}
      onInput=${(value) => onChange({ ...values, [one.name]: value })} />`)}<//>`;
}

const isJson = (argument) => /^(map|list|collection)/i.test(argument.type ?? '') || /^(crmAPIRequest|requestMap)$/i.test(argument.name);

function hintOf(argument) {
  if (/^(crmAPIRequest|requestMap)$/i.test(argument.name)) {
    return 'The request as JSON, such as {"body": "…", "params": {"name": "Ada"}}; empty is a request without anything.';
  }
  return isJson(argument) ? `${argument.type}, as JSON` : argument.type;
}

/**
 * @param source what is saved now; when it changes and nothing was typed, the new text takes the old one's place
 * @param isNew nothing is saved yet: `source` is a beginning
 * @param save (source) → {errors: [{line, column, severity, message}], message?, kept?: texts for the status without and with errors}
 * @param execute (source, arguments) → {log, output, error} or null where a script cannot be tried
 * @param context {name: what a script without a header is called}
 * @param children more buttons
 */
export function ScriptEditor({ source, isNew, save, execute, context, children }) {
  const writes = may('developer');
  const frame = useRef();
  const editor = useRef(null);
  const [text, setText] = useState(source);
  const [saved, setSaved] = useState(source);
  const [problems, setProblems] = useState([]);
  const [header, setHeader] = useState([]);
  const [run, setRun] = useState(null);
  const [asking, setAsking] = useState(false);
  const [values, setValues] = useState({});
  const [ready, setReady] = useState(false);
  const [left, setLeft] = useState(() => readUnsaved(source));
  const saving = useRef(null);
  const actions = useRef({});
  const argumentsNow = useRef([]);

  const check = async (script) => {
    try {
      const answer = await call('POST', '/control/check', { source: script, name: context?.name });
      argumentsNow.current = answer.functions[0]?.arguments ?? [];
      setHeader(argumentsNow.current);
      return answer.diagnostics;
    } catch (failure) {
      complain(failure);
      return [];
    }
  };
  useEffect(() => {
    let gone = false;
    Promise.all([import('./codemirror.js'), loadTable()])
      .then(([{ openEditor }, table]) => {
        if (!gone) {
          editor.current = openEditor({
            parent: frame.current, source, check, table, report: setProblems, onChange: setText,
            onSave: () => actions.current.save(), onExecute: () => actions.current.begin(), readOnly: !writes,
          });
          setReady(true);
        }
      })
      .catch((failure) => complain(failure));
    return () => {
      gone = true;
      editor.current?.close();
      guardClosing(false);
    };
  }, []);
  useEffect(() => {
    if (editor.current?.text() === saved && source !== saved) {
      setSaved(source);
      editor.current.setText(source);
    }
  }, [source]);
  useEffect(() => {
    guardClosing(text !== saved);
    if (text !== saved || left === null) {
      keepUnsaved(text === saved ? null : text);
    }
  }, [text, saved, left]);

  const keepNow = async () => {
    const script = editor.current.text();
    const path = location.pathname; // saving may give a new function its own
    const answer = await save(script);
    keepUnsaved(null, path);
    setSaved(script);
    setText(editor.current.text());
    const errors = (answer.errors ?? []).filter((one) => one.severity !== 'warning');
    setProblems([...(answer.errors ?? [])]);
    if (errors.length > 0) {
      editor.current.check();
      say(`Saved with ${errors.length === 1 ? 'an error' : `${errors.length} errors`}. ${answer.kept ?? 'The last good version goes on serving.'}`);
      return false;
    }
    say(answer.message ?? 'Saved.');
    return true;
  };
  /** One save at a time: who presses twice waits for the first, and then saves what is written by then. */
  const keep = async () => {
    await saving.current?.catch(() => {});
    saving.current = keepNow().finally(() => (saving.current = null));
    return saving.current;
  };
  const bringBack = () => {
    editor.current.setText(left);
    setLeft(null);
    editor.current.focus();
  };
  const perform = async (filled) => {
    setRun({ busy: true, log: [], output: '' });
    try {
      setRun(await execute(editor.current.text(), filled));
    } catch (failure) {
      setRun({ log: failure.body?.log ?? [], error: { message: failureText(failure) } });
    }
  };
  const begin = async () => {
    if (!execute || !writes) {
      return;
    }
    const diagnostics = await check(editor.current.text());
    const wanted = argumentsNow.current;
    if (!(await keep()) || diagnostics.some((one) => one.severity !== 'warning')) {
      return;
    }
    if (wanted.length > 0) {
      setAsking(true);
    } else {
      await perform({});
    }
  };
  actions.current = { save: () => writes && keep().catch(complain), begin: () => begin().catch(complain) };
  const format = async () => {
    const answer = await call('POST', '/control/format', { source: editor.current.text() });
    editor.current.setText(answer.source);
    say('Formatted. Save keeps it.');
  };
  const errors = problems.filter((one) => one.severity !== 'warning');
  const warnings = problems.filter((one) => one.severity === 'warning');
  const go = (problem) => editor.current.goTo(problem.line, problem.column);
  return html`<div class="stack">
    <div class="editor">
      <div class="editor-bar">
        ${writes && html`<${Action} class="main" disabled=${!ready} onClick=${keep}>Save<//>`}
        ${writes && execute && html`<${Action} disabled=${!ready} onClick=${begin}>Save ${'&'} Execute Script<//>`}
        ${writes && html`<${Action} disabled=${!ready} onClick=${format}>Format<//>`}
        ${children}
        <span class="state">${!writes ? 'Your role reads only' : text === saved && !isNew ? 'Saved' : 'Not saved yet'}</span>
      </div>
      ${left !== null && writes && html`<div class="editor-note"><span>Changes made here before were not saved.</span>
        <button type="button" class="small" disabled=${!ready} onClick=${bringBack}>Bring them back</button><button type="button" class="small" onClick=${() => setLeft(null)}>Discard them</button></div>`}
      <div ref=${frame} class="editor-frame">${!ready && html`<div class="loading editor-loading"><span></span><span></span><span></span></div>`}</div>
      <p class="editor-hint">${!writes ? '' : 'Ctrl+S saves, Ctrl+Enter executes, Ctrl+Space completes. Tab indents; after Escape it moves on.'}</p>
    </div>
    <div class="split">
      <div class="stack"><${Problems} problems=${errors} onGo=${go} />
        ${warnings.length > 0 && html`<section class="panel" aria-label="Warnings"><h2 aria-hidden="true">Warnings</h2><ul class="problems">${warnings.map((one) => html`<li class="warning"><button type="button" class="link" onClick=${() => go(one)}>${`Line ${one.line}: ${one.message}`}</button></li>`)}</ul></section>`}
        ${writes && execute && html`<section class="panel" aria-label="Result" aria-busy=${run?.busy}><h2 aria-hidden="true">Result</h2>${result(run, go)}</section>`}</div>
      ${writes && execute && html`<${Log} entries=${run?.log ?? []} empty=${run ? (run.busy ? 'Running…' : 'No info lines.') : 'Lines of info appear here when the script is executed.'} />`}
    </div>
    ${asking && html`<${ArgumentsDialog} wanted=${header} values=${values} onChange=${setValues} onClose=${() => setAsking(false)}
      onExecute=${async () => { setAsking(false); await perform(values); }} />`}
  </div>`;
}

/** The returned value as text; of a script that made its own response, that. */
function resultText(run) {
  if (run.reply) {
    return run.reply.body ?? '';
  }
  if (run.output !== null && run.output !== undefined) {
    return run.output;
  }
  return run.output_type === 'void' ? '' : 'null';
}

function result(run, onGo) {
  if (!run) {
    return html`<p class="none">What the script returns appears here.</p>`;
  }
  if (run.busy) {
    return html`<p class="none">Running…</p>`;
  }
  if (run.error) {
    return html`<p role="alert" class="said bad">${run.error.line ? html`<button type="button" class="link" onClick=${() => onGo(run.error)}>Line ${run.error.line}</button>: ` : ''}${run.error.message}</p>`;
  }
  return html`<pre tabindex="0">${resultText(run)}</pre>
    ${run.run && html`<p class="hint run-line">${run.statements} statements in ${Math.round(run.duration_ms)} ms. <a href=${`/console/runs/${run.run}`}>The whole run</a></p>`}`;
}
