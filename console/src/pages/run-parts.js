// SPDX-License-Identifier: Apache-2.0
//
// What the list of runs and the page of one run have in common.
import { html } from '../ui.js';

const outcomes = { ok: ['good', 'ok'], script_error: ['bad', 'script error'], limit: ['warn', 'limit'], refused: ['warn', 'refused'], failed: ['bad', 'failed'] };

export function Outcome({ outcome }) {
  const [look, text] = outcomes[outcome] ?? ['', outcome];
  return html`<span class=${`badge ${look}`}>${text}</span>`;
}

/** "40 µs", "0.4 ms", "12 ms", "3.2 s" */
export function duration(ms) {
  if (ms === null || ms === undefined) {
    return '';
  }
  return ms < 0.1 ? `${Math.round(ms * 1000)} µs` : ms < 10 ? `${ms.toFixed(1)} ms` : ms < 10000 ? `${Math.round(ms)} ms` : `${(ms / 1000).toFixed(1)} s`;
}

/** "1,234" */
export const number = (value) => (value ?? 0).toLocaleString('en-US');
