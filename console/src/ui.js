// SPDX-License-Identifier: Apache-2.0
//
// What every page is made of: headings, notices, tables, dialogs, tabs. Text is always text here; nothing makes HTML of data.
import { h } from 'preact';
import { useEffect, useId, useRef, useState } from 'preact/hooks';
import htm from 'htm';

export const html = htm.bind(h);

// ---- notices ------------------------------------------------------------------------------------

const notice = { status: '', alert: '', listeners: new Set() };

function changeNotice(status, alert) {
  notice.status = status;
  notice.alert = alert;
  notice.listeners.forEach((listener) => listener());
}

/** Says what went well. */
export const say = (text) => changeNotice(text, '');
/** Says what failed, and what to do. A failure of the API brings its own words. */
export const complain = (failure) => changeNotice('', failureText(failure));
/** Both at once: what was asked for failed, and there is something to read about it. */
export const sayBoth = (status, alert) => changeNotice(status, alert);
export const quiet = () => changeNotice('', '');

export function failureText(failure) {
  return typeof failure === 'string' ? failure : failure?.message || 'Something failed; try again.';
}

/** The two live regions. They are in the page before they speak, or a screen reader would not hear them. */
export function Notices() {
  const [, draw] = useState(0);
  useEffect(() => {
    const listener = () => draw((count) => count + 1);
    notice.listeners.add(listener);
    return () => notice.listeners.delete(listener);
  }, []);
  const any = notice.status || notice.alert;
  return html`<div class=${any ? 'notices' : 'notices empty'}>
    <div role="alert">${notice.alert}</div>
    <div role="status">${notice.status}</div>
    ${any && html`<button class="plain" aria-label="Dismiss" onClick=${quiet}>✕</button>`}
  </div>`;
}

// ---- data of a page -----------------------------------------------------------------------------

/**
 * Loads what a page shows. `key` names what is loaded: when it changes, the load begins again.
 * @returns {{data: any, failure: Error|null, loading: boolean, reload: function(): Promise<void>, set: function(any): void}}
 */
export function useLoad(load, key) {
  const [state, setState] = useState({ key: null, data: null, failure: null });
  const current = useRef(key);
  current.current = key;
  const run = async () => {
    try {
      const data = await load();
      if (current.current === key) {
        setState({ key, data, failure: null });
      }
    } catch (failure) {
      if (current.current === key) {
        setState({ key, data: null, failure });
      }
    }
  };
  useEffect(() => void run(), [key]);
  const fresh = state.key === key;
  return {
    data: fresh ? state.data : null,
    failure: fresh ? state.failure : null,
    loading: !fresh,
    reload: run,
    set: (data) => setState({ key, data, failure: null }),
  };
}

/** Shows what is loaded, or that it is on its way, or why it is not there. */
export function Loaded({ from, children }) {
  if (from.failure) {
    return html`<div class="empty-state" role="alert"><p>${failureText(from.failure)}</p>
      <button onClick=${from.reload}>Try again</button></div>`;
  }
  if (from.data === null) {
    return html`<div class="loading" aria-busy="true"><span></span><span></span><span></span></div>`;
  }
  return children(from.data);
}

// ---- parts --------------------------------------------------------------------------------------

/** The page's heading of level 1; takes the focus when the page was come to by a link. */
export function Title({ text, lead, children }) {
  const heading = useRef();
  useEffect(() => {
    document.title = `${text} · Sluice`;
  }, [text]);
  useEffect(() => {
    if (document.body.dataset.moved) {
      delete document.body.dataset.moved;
      heading.current?.focus({ preventScroll: true });
    }
  }, []);
  return html`<div class="title">
    <div><h1 ref=${heading} tabindex="-1">${text}</h1>${lead && html`<p class="lead">${lead}</p>`}</div>
    ${children && html`<div class="actions">${children}</div>`}
  </div>`;
}

/** @param columns texts of the head; those in `numbers` stand at the right. A row of `rows` is what stands in its tr. */
export function Table({ name, columns, numbers = [], rows, empty, children }) {
  const head = columns.map((text) => html`<th scope="col" class=${text === 'Actions' || numbers.includes(text) ? 'number' : undefined}>${text}</th>`);
  if (rows.length === 0 && empty) {
    return html`<div class="table-frame"><table aria-label=${name}><thead><tr>${head}</tr></thead></table>
      <div class="empty-state">${empty}</div></div>`;
  }
  return html`<div class="table-frame" tabindex="0" role="group" aria-label=${`${name}, scrollable`}>
    <table aria-label=${name}>
      <thead><tr>${head}</tr></thead>
      <tbody>${rows.map(children)}</tbody>
    </table></div>`;
}

/** A text field with its label. `error` says what is wrong with the value, in place of the hint. What is not named goes to the input. */
export function Field({ label, mark, hint, error, value, onInput, multiline, ...rest }) {
  const id = useId();
  const hintId = hint || error ? `${id}-hint` : undefined;
  const invalid = error ? 'true' : undefined;
  const input = (event) => onInput(event.target.value);
  return html`<div class="field">
    <label for=${id}>${label}${mark}</label>
    ${multiline
      ? html`<textarea id=${id} aria-invalid=${invalid} aria-describedby=${hintId} value=${value} onInput=${input} ...${rest} />`
      : html`<input id=${id} aria-invalid=${invalid} aria-describedby=${hintId} value=${value} onInput=${input} autocomplete="off" spellcheck=${false} ...${rest} />`}
    ${hintId && html`<p class=${error ? 'hint error-text' : 'hint'} id=${hintId}>${error ?? hint}</p>`}
  </div>`;
}

export function Select({ label, hint, value, options, onInput, ...rest }) {
  const id = useId();
  const hintId = hint ? `${id}-hint` : undefined;
  return html`<div class="field">
    <label for=${id}>${label}</label>
    <select id=${id} aria-describedby=${hintId} value=${value} onChange=${(event) => onInput(event.target.value)} ...${rest}>${options.map((one) => html`<option value=${one}>${one}</option>`)}</select>
    ${hint && html`<p class="hint" id=${hintId}>${hint}</p>`}
  </div>`;
}

export function Check({ label, checked, onChange, hint, ...rest }) {
  const id = useId();
  return html`<div class="check">
    <input type="checkbox" id=${id} checked=${checked} onChange=${(event) => onChange(event.target.checked)} ...${rest} />
    <label for=${id}>${label}</label>${hint && html`<span class="hint">${hint}</span>`}
  </div>`;
}

/** A button that says that it is at work, and cannot be pressed twice meanwhile. */
export function Action({ children, onClick, class: className, ...rest }) {
  const [busy, setBusy] = useState(false);
  const alive = useRef(true);
  useEffect(() => () => void (alive.current = false), []);
  const click = async () => {
    if (busy) {
      return;
    }
    setBusy(true);
    quiet();
    try {
      await onClick();
    } catch (failure) {
      complain(failure);
    }
    if (alive.current) {
      setBusy(false);
    }
  };
  return html`<button type="button" class=${`${className ?? ''} ${busy ? 'busy' : ''}`} aria-busy=${busy} onClick=${click} ...${rest}>${children}</button>`;
}

/**
 * A dialog takes the focus, closes with Escape and gives the focus back. `onSubmit` makes a form of it: Enter in a field is its main button.
 * What `onSubmit` throws is said inside, where a screen reader can hear it while the rest of the page is inert.
 */
export function Dialog({ name, onClose, onSubmit, submit, children, wide, footer }) {
  const dialog = useRef();
  const [failure, setFailure] = useState('');
  const [busy, setBusy] = useState(false);
  const title = useId();
  useEffect(() => {
    const before = document.activeElement;
    const element = dialog.current;
    element.showModal();
    (element.querySelector('input:not([type=hidden]), textarea, select') ?? element.querySelector('footer button'))?.focus();
    return () => {
      if (element.open) {
        element.close();
      }
      before?.isConnected && before.focus();
    };
  }, []);
  const send = async (event) => {
    event.preventDefault();
    if (busy || !onSubmit) {
      return;
    }
    setBusy(true);
    setFailure('');
    quiet();
    try {
      await onSubmit();
    } catch (problem) {
      setFailure(failureText(problem));
    }
    setBusy(false);
  };
  const cancel = (event) => {
    event.preventDefault();
    onClose();
  };
  return html`<dialog ref=${dialog} class=${wide ? 'wide' : ''} aria-labelledby=${title} onCancel=${cancel}>
    <form method="dialog" onSubmit=${send} novalidate>
      <h2 id=${title}>${name}</h2>
      <div class="dialog-body">${children}</div>
      <div role="alert" class="dialog-alert">${failure}</div>
      <footer>
        ${footer}
        ${onSubmit && html`<button type="button" onClick=${onClose}>Cancel</button>
          <button type="submit" class="main" aria-busy=${busy}>${submit}</button>`}
      </footer>
    </form>
  </dialog>`;
}

/** @param tabs [{name, label?, panel: function}]; arrow keys move between them. */
export function Tabs({ name, tabs, chosen, onChoose }) {
  const id = useId();
  const keys = (event) => {
    const at = tabs.findIndex((tab) => tab.name === chosen);
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    const to = event.key === 'Home' ? 0 : event.key === 'End' ? tabs.length - 1 : step ? (at + step + tabs.length) % tabs.length : -1;
    if (to >= 0) {
      event.preventDefault();
      onChoose(tabs[to].name);
      event.currentTarget.querySelectorAll('[role=tab]')[to].focus();
    }
  };
  const current = tabs.find((tab) => tab.name === chosen) ?? tabs[0];
  return html`<div class="tabs">
    <div role="tablist" aria-label=${name} onKeyDown=${keys}>
      ${tabs.map((tab) => html`<button type="button" role="tab" id=${`${id}-${tab.name}`} aria-selected=${tab === current} aria-controls=${`${id}-panel`}
        tabindex=${tab === current ? 0 : -1} onClick=${() => onChoose(tab.name)}>${tab.name}</button>`)}
    </div>
    <div role="tabpanel" id=${`${id}-panel`} aria-labelledby=${`${id}-${current.name}`}>${current.panel()}</div>
  </div>`;
}

// ---- words --------------------------------------------------------------------------------------

/** "2026-11-24 11:38:02" in the reader's zone; the whole text when it is no time. */
export function timeText(value) {
  const time = new Date(value);
  if (value === null || value === undefined || Number.isNaN(time.getTime())) {
    return value ?? '';
  }
  const two = (number) => String(number).padStart(2, '0');
  return `${time.getFullYear()}-${two(time.getMonth() + 1)}-${two(time.getDate())} ${two(time.getHours())}:${two(time.getMinutes())}:${two(time.getSeconds())}`;
}

/** `tell` says that it is done: in a dialog, a place inside it, for the page around it is not heard. */
export async function copy(text, what, tell = say) {
  try {
    await navigator.clipboard.writeText(text);
    tell(`${what} is in the clipboard.`);
  } catch {
    const area = document.createElement('textarea');
    area.value = text;
    (document.querySelector('dialog[open]') ?? document.body).append(area);
    area.select();
    const done = document.execCommand('copy');
    area.remove();
    done ? tell(`${what} is in the clipboard.`) : complain(`The browser does not allow copying; select the text instead.`);
  }
}
