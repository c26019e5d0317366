// SPDX-License-Identifier: Apache-2.0
//
// A field that names a record of another module: what is typed is searched there, and one of what is found is chosen, by mouse or by arrow keys.
import { useEffect, useId, useRef, useState } from 'preact/hooks';
import { html } from '../ui.js';
import { get, query, rows, seg } from '../api.js';

const SHOWN_MAX = 8;

/** @param search answers [{id, name}] for what was typed; @param value {id, name} or null. */
export function LookupField({ label, hint, error, search, value, onInput }) {
  const id = useId();
  const [typed, setTyped] = useState(value?.name ?? '');
  const [found, setFound] = useState([]);
  const [at, setAt] = useState(-1);
  const asked = useRef(0);
  useEffect(() => {
    const text = typed.trim();
    const mine = ++asked.current;
    if (text.length < 2 || text === value?.name) {
      setFound([]);
      return undefined;
    }
    const timer = setTimeout(async () => {
      const list = await search(text).catch(() => []);
      if (asked.current === mine) {
        setFound(list.slice(0, SHOWN_MAX));
        setAt(-1);
      }
    }, 200);
    return () => clearTimeout(timer);
  }, [typed]);
  const choose = (one) => {
    asked.current++;
    setFound([]);
    setTyped(one.name);
    onInput(one);
  };
  const type = (event) => {
    setTyped(event.target.value);
    // What is typed anew is no record until one is chosen; an id is one.
    const text = event.target.value.trim();
    onInput(/^[0-9]{15,19}$/.test(text) ? { id: text, name: text } : null);
  };
  const keys = (event) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step && found.length) {
      event.preventDefault();
      setAt((at + step + found.length) % found.length);
    } else if (event.key === 'Enter' && found[at]) {
      event.preventDefault();
      choose(found[at]);
    } else if (event.key === 'Escape' && found.length) {
      event.preventDefault();
      event.stopPropagation();
      setFound([]);
    }
  };
  const open = found.length > 0;
  const said = error ?? (typed && !value && !open ? 'Type and choose one of the records found; otherwise the field stays empty.' : hint);
  return html`<div class="field lookup"><label for=${id}>${label}</label>
    <input id=${id} type="text" role="combobox" aria-expanded=${open} aria-controls=${`${id}-list`} aria-autocomplete="list" aria-activedescendant=${at >= 0 ? `${id}-${at}` : undefined}
      aria-invalid=${error ? 'true' : undefined} aria-describedby=${`${id}-hint`} autocomplete="off" spellcheck=${false} value=${typed} onInput=${type} onKeyDown=${keys} />
    <ul role="listbox" id=${`${id}-list`} aria-label=${`${label}, found`} hidden=${!open}>${found.map((one, index) => html`
      <li role="option" id=${`${id}-${index}`} aria-selected=${index === at} onMouseDown=${(event) => (event.preventDefault(), choose(one))}>${one.name}</li>`)}</ul>
    <p class=${error ? 'hint error-text' : 'hint'} id=${`${id}-hint`}>${said}</p>
  </div>`;
}

/** Searches the records of a module by word; `nameOf(module)` answers the field they are called by. */
export const searchModule = (module, nameOf) => async (word) => {
  const name = await nameOf(module);
  const list = rows(await get(`/crm/v8/${seg(module)}/search${query({ word, fields: name, per_page: SHOWN_MAX })}`), 'data');
  return list.map((record) => ({ id: record.id, name: record[name] || record.id }));
};
