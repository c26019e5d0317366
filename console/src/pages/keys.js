// SPDX-License-Identifier: Apache-2.0
//
// zapikeys of the org's environment: who may call what. A key is fetched only when it is asked for, and leaves the page with it.
import { useState } from 'preact/hooks';
import { Action, Loaded, Table, Title, copy, html, say, timeText, useLoad } from '../ui.js';
import { call, currentPlace, get, may, seg } from '../api.js';

const graces = [
  { text: 'ends at once', ms: 0 },
  { text: 'works for another hour', ms: 3600_000 },
  { text: 'works for another day', ms: 86_400_000 },
];

function KeyRow({ row, older, grace, onChanged }) {
  const [shown, setShown] = useState('');
  const show = async () => setShown(shown ? '' : (await get(`/control/keys/${seg(row.namespace)}`)).zapikey);
  const rotate = async () => {
    const answer = await call('POST', `/control/keys/${seg(row.namespace)}/rotate`, { grace_ms: graces[grace].ms });
    setShown(answer.zapikey ?? '');
    await onChanged();
    say(`${row.namespace} has a new key.${row.state === 'revoked' ? '' : ` The one before ${graces[grace].text}.`}`);
  };
  return html`<tr><th scope="row">${row.namespace}</th><td>${currentPlace().environment}</td>
    <td class=${shown ? 'mono key' : 'mono'}>${shown ? html`<span>${shown}</span> <button type="button" class="small" aria-label=${`Copy ${row.namespace}`} onClick=${() => copy(shown, `The key of ${row.namespace}`)}>Copy</button>` : row.state === 'revoked' ? html`<span class="badge bad">revoked</span>` : row.zapikey}
      ${older.length > 0 && html`<div class="hint">${older.length === 1 ? 'The key before works' : `${older.length} older keys work`} until ${timeText(older[0].expires_time)}</div>`}</td>
    <td class="when">${timeText(row.created_time)}</td><td class="when">${row.last_used_time ? timeText(row.last_used_time) : html`<span class="soft">never</span>`}</td>
    ${may('developer') && html`<td><div class="actions">${row.state === 'current' && html`<${Action} class="small" aria-pressed=${shown !== ''} onClick=${show}>${`Show ${row.namespace}`}<//>`}
      <${Action} class="small" onClick=${rotate}>${`Rotate ${row.namespace}`}<//></div></td>`}</tr>`;
}

export function Keys() {
  const keys = useLoad(() => get('/control/keys'), 'keys');
  const [grace, setGrace] = useState(0);
  const empty = html`<strong>No keys yet</strong><p>An extension gets its key when it is installed; the org's own functions share one from the first of them on.</p><a class="button" href="/console/setup/marketplace">To the marketplace</a>`;
  return html`<${Title} text="Keys" lead="A key opens the functions of one namespace in one environment. Whoever has it may call them: treat it as a password." />
    ${may('developer') && html`<div class="tools"><label class="check"><span>On rotation, the key before</span>
      <select value=${grace} onChange=${(event) => setGrace(Number(event.target.value))}>${graces.map((one, at) => html`<option value=${at}>${one.text}</option>`)}</select></label></div>`}
    <${Loaded} from=${keys}>${(all) => {
      // What was revoked has no key until it is rotated.
      const current = all.filter((row) => row.state === 'current' || (row.state === 'revoked' && !all.some((one) => one.namespace === row.namespace && one.state === 'current')));
      return html`<${Table} name="Keys" columns=${['Namespace', 'Environment', 'Key', 'Made', 'Last used', ...(may('developer') ? ['Actions'] : [])]} rows=${current} empty=${empty}>
        ${(row) => html`<${KeyRow} key=${row.namespace} row=${row} grace=${grace} onChanged=${keys.reload} older=${all.filter((one) => one.namespace === row.namespace && one.state !== 'current' && one.expires_time && new Date(one.expires_time) > new Date())} />`}
      <//>`;
    }}<//>`;
}
