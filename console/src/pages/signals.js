// SPDX-License-Identifier: Apache-2.0
//
// Signals that functions and clients raised, newest first. New ones appear by themselves.
import { useEffect, useState } from 'preact/hooks';
import { Loaded, Table, Title, html, timeText, useLoad } from '../ui.js';
import { get, query, rows, seg } from '../api.js';

const perPage = 50;
const lookAgainMs = 3000;

const load = (page) => get(`/crm/v8/signals/notifications${query({ page, per_page: perPage })}`);

export function Signals() {
  const [page, setPage] = useState(1);
  const signals = useLoad(() => load(page), `page ${page}`);
  useEffect(() => {
    let over = false;
    const timer = setInterval(async () => {
      // A server that does not answer is no reason to take away what is shown.
      const answer = document.hidden ? undefined : await load(page).catch(() => undefined);
      over || answer === undefined || signals.set(answer);
    }, lookAgainMs);
    return () => {
      over = true;
      clearInterval(timer);
    };
  }, [page]);
  const empty = html`<strong>No signals yet</strong><p>A function raises one with <code>zoho.crm.invokeConnector("raisesignal", …)</code>, a client with <code>POST /crm/v8/signals/notifications</code>.</p>`;
  return html`<${Title} text="Signals" lead="What extensions told the users of this org about their records. New ones appear by themselves." />
    <${Loaded} from=${signals}>${(answer) => html`
      <${Table} name="Signals" columns=${['Time', 'Signal', 'Subject', 'Message', 'Record']} rows=${rows(answer, 'notifications')} empty=${empty}>
        ${(signal) => html`<tr key=${signal.id}><td class="when">${timeText(signal.time)}</td><td class="clip" title=${signal.signal_namespace}>${signal.signal_namespace}</td><td class="subject">${signal.subject}</td><td class="long">${signal.message}</td>
          <td class="clip" title=${signal.email}>${signal.record_id ? html`<a href=${`/console/records/${seg(signal.module)}/${seg(signal.record_id)}`}>${signal.email || signal.record_id}</a>` : signal.email}</td></tr>`}
      <//>
      ${(page > 1 || answer?.info?.more_records) && html`<div class="actions section">
        ${page > 1 && html`<button type="button" onClick=${() => setPage(page - 1)}>Newer</button>`}
        ${answer?.info?.more_records && html`<button type="button" onClick=${() => setPage(page + 1)}>Older</button>`}</div>`}`}<//>`;
}
