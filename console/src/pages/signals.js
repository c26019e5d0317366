// SPDX-License-Identifier: Apache-2.0
//
// Signals that functions and clients raised, newest first.
import { useState } from 'preact/hooks';
import { Loaded, Table, Title, html, timeText, useLoad } from '../ui.js';
import { get, query, rows, seg } from '../api.js';

const perPage = 50;

export function Signals() {
  const [page, setPage] = useState(1);
  const signals = useLoad(() => get(`/crm/v8/signals/notifications${query({ page, per_page: perPage })}`), `page ${page}`);
  const empty = html`<strong>No signals yet</strong><p>A function raises one with <code>zoho.crm.invokeConnector("raisesignal", …)</code>, a client with <code>POST /crm/v8/signals/notifications</code>.</p>`;
  return html`<${Title} text="Signals" lead="What extensions told the users of this org about their records.">
      <button type="button" onClick=${signals.reload}>Refresh</button><//>
    <${Loaded} from=${signals}>${(answer) => html`
      <${Table} name="Signals" columns=${['Time', 'Signal', 'Subject', 'Message', 'Record']} rows=${rows(answer, 'notifications')} empty=${empty}>
        ${(signal) => html`<tr key=${signal.id}><td class="when">${timeText(signal.time)}</td><td>${signal.signal_namespace}</td><td>${signal.subject}</td><td class="long">${signal.message}</td>
          <td>${signal.record_id ? html`<a href=${`/console/records/${seg(signal.module)}/${seg(signal.record_id)}`}>${signal.email || signal.record_id}</a>` : signal.email}</td></tr>`}
      <//>
      ${(page > 1 || answer?.info?.more_records) && html`<div class="actions section">
        ${page > 1 && html`<button type="button" onClick=${() => setPage(page - 1)}>Newer</button>`}
        ${answer?.info?.more_records && html`<button type="button" onClick=${() => setPage(page + 1)}>Older</button>`}</div>`}`}<//>`;
}
