// SPDX-License-Identifier: Apache-2.0
//
// Addresses below /console. A link is an ordinary <a href>, so that it can be copied, opened in a tab and gone back to; clicks are taken
// here. Every address is also answered by the server with the same page.
import { useEffect, useState } from 'preact/hooks';
import { quiet } from './ui.js';

export const base = '/console';
const listeners = new Set();
let unsaved = false;

/** While something is not saved, the browser asks before the tab is closed. Ways inside the console need no question: who comes back finds it. */
export function guardClosing(on) {
  unsaved = on;
}

window.addEventListener('beforeunload', (event) => {
  if (unsaved) {
    event.preventDefault();
  }
});

function tell() {
  document.body.dataset.moved = '1';
  listeners.forEach((listener) => listener());
}

/** Goes to an address below /console ("/records/Leads"). What was said stays when `keep` is set. */
export function go(path, { replace = false, keep = false } = {}) {
  history[replace ? 'replaceState' : 'pushState'](null, '', base + path);
  keep || quiet();
  window.scrollTo(0, 0);
  tell();
}

/** Gives the page that is shown another address; nothing is loaded anew. */
export function rename(path) {
  history.replaceState(null, '', base + path);
}

/** Changes the query of the page's address without leaving the page. */
export function setQuery(values) {
  const url = new URL(location.href);
  for (const [key, value] of Object.entries(values)) {
    value ? url.searchParams.set(key, value) : url.searchParams.delete(key);
  }
  history.replaceState(null, '', url);
}

export const getQuery = (key) => new URLSearchParams(location.search).get(key) ?? '';

window.addEventListener('popstate', () => {
  quiet();
  tell();
});

document.addEventListener('click', (event) => {
  const link = event.target.closest?.('a[href]');
  if (!link || event.defaultPrevented || event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey || link.target) {
    return;
  }
  const url = new URL(link.href);
  const ours = url.origin === location.origin && (url.pathname === base || url.pathname.startsWith(base + '/'));
  if (ours && !url.pathname.startsWith(base + '/widgets/') && !link.hasAttribute('download') && !link.getAttribute('href').startsWith('#')) {
    event.preventDefault();
    go(url.pathname.slice(base.length) + url.search);
  }
});

/** The path below /console, without a slash at its end: "" for the first page. */
export function usePath() {
  const read = () => location.pathname.slice(base.length).replace(/\/+$/, '');
  const [path, setPath] = useState(read());
  useEffect(() => {
    const listener = () => setPath(read());
    listeners.add(listener);
    return () => listeners.delete(listener);
  }, []);
  return path;
}

function decode(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** {name: text} when `path` has the shape of `pattern` ("/records/:module"), else null. */
export function match(pattern, path) {
  const want = pattern.split('/');
  const have = path.split('/');
  if (want.length !== have.length) {
    return null;
  }
  const found = {};
  for (let i = 0; i < want.length; i++) {
    if (want[i].startsWith(':')) {
      found[want[i].slice(1)] = decode(have[i]);
    } else if (want[i] !== have[i]) {
      return null;
    }
  }
  return found;
}
