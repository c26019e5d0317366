// SPDX-License-Identifier: Apache-2.0
//
// How often functions are called, how often they fail, and how fast they are: a row for each, with small charts. What a chart shows is told in
// its text too, and "By minute" has every number of it.
import { useEffect, useRef, useState } from 'preact/hooks';
import { Table, html, timeText, useLoad } from '../ui.js';
import { get, query } from '../api.js';
import { duration, number } from './run-parts.js';

const refreshMs = 4000;
const rowsAtFirst = 5;
const periods = {
  hour: { name: 'Last hour', slots: 'minutes', count: 60, ms: 60000, slot: 'minute', total: 'last_hour' },
  day: { name: 'Last day', slots: 'hours', count: 24, ms: 3600000, slot: 'hour', total: 'last_day' },
};

/** Every slot of the period, the current one last; null where there was no call. */
function fill(list, period) {
  const now = Math.floor(Date.now() / period.ms);
  const slots = new Array(period.count).fill(null);
  for (const one of list) {
    const at = period.count - 1 - (now - Math.floor(new Date(one.time).getTime() / period.ms));
    if (at >= 0 && at < period.count) {
      slots[at] = one;
    }
  }
  return slots;
}

const width = 4;
const height = 32;

function CallsChart({ slots, period, total }) {
  const most = Math.max(1, ...slots.map((slot) => slot?.calls ?? 0));
  const text = `${number(total.calls)} calls in the ${period.name.toLowerCase()}, ${number(total.errors)} of them failed, at most ${number(most)} in one ${period.slot}`;
  const bar = (slot, at, count, look) => count > 0 && html`<rect class=${look} x=${at * width} width=${width - 1} y=${height - (count / most) * height} height=${(count / most) * height} />`;
  return html`<svg class="chart" viewBox=${`0 0 ${slots.length * width} ${height}`} preserveAspectRatio="none" role="img" aria-label=${text}>
    ${slots.map((slot, at) => slot && html`${bar(slot, at, slot.calls, 'calls')}${bar(slot, at, slot.errors, 'errors')}`)}</svg>`;
}

function LatencyChart({ slots, period }) {
  const most = Math.max(0.001, ...slots.map((slot) => slot?.p95_ms ?? 0));
  const text = `95 of 100 calls took at most ${duration(most)} in the slowest ${period.slot}`;
  const mark = (at, ms, look) => html`<rect class=${look} x=${at * width} width=${width - 1} y=${height - Math.max(1.5, (ms / most) * height)} height="1.5" />`;
  return html`<svg class="chart" viewBox=${`0 0 ${slots.length * width} ${height}`} preserveAspectRatio="none" role="img" aria-label=${text}>
    ${slots.map((slot, at) => slot && html`<rect class="span" x=${at * width} width=${width - 1} y=${height - (slot.p95_ms / most) * height} height=${((slot.p95_ms - slot.p50_ms) / most) * height} />
      ${mark(at, slot.p50_ms, 'half')}${mark(at, slot.p95_ms, 'most')}`)}</svg>`;
}

function Slots({ list, period }) {
  const name = period.slot === 'minute' ? 'By minute' : 'By hour';
  return html`<details><summary>${name}</summary>
    <${Table} name=${name} columns=${['Time', 'Calls', 'Failed', 'p50', 'p95', 'Longest']} rows=${[...list].reverse()}>
      ${(slot) => html`<tr key=${slot.time}><th scope="row" class="when">${timeText(slot.time)}</th><td>${number(slot.calls)}</td><td>${number(slot.errors)}</td>
        <td>${duration(slot.p50_ms)}</td><td>${duration(slot.p95_ms)}</td><td>${duration(slot.max_ms)}</td></tr>`}<//></details>`;
}

function Row({ one, period, onChoose, chosen }) {
  const total = one[period.total];
  const slots = fill(one[period.slots], period);
  return html`<tr><th scope="row">${chosen ? one.function : html`<button type="button" class="link" onClick=${() => onChoose(one.function)}>${one.function}</button>`}</th>
    <td>${number(total.calls)}</td><td>${number(total.errors)}</td><td>${duration(total.p50_ms)}</td><td>${duration(total.p95_ms)}</td><td>${duration(total.max_ms)}</td>
    <td class="chart-cell"><${CallsChart} slots=${slots} period=${period} total=${total} /></td><td class="chart-cell"><${LatencyChart} slots=${slots} period=${period} /></td></tr>`;
}

/** @param newest changes with every new run: then the figures are asked for again, in a while. */
export function Figures({ name, newest, onChoose }) {
  const [chosen, setChosen] = useState('hour');
  const [all, setAll] = useState(false);
  const loaded = useLoad(() => get(`/control/runs/figures${query({ function: name })}`), `figures ${name}`);
  const last = useRef(Date.now());
  useEffect(() => {
    const wait = setTimeout(() => {
      last.current = Date.now();
      loaded.reload();
    }, Math.max(300, refreshMs - (Date.now() - last.current)));
    return () => clearTimeout(wait);
  }, [newest]);
  const period = periods[chosen];
  const found = (loaded.data?.functions ?? []).filter((one) => one.last_day.calls > 0);
  if (found.length === 0) {
    return null;
  }
  const rows = found.filter((one) => one[period.total].calls > 0).sort((a, b) => b[period.total].calls - a[period.total].calls);
  const shown = all ? rows : rows.slice(0, rowsAtFirst);
  const empty = html`<p>Nothing was called in the ${period.name.toLowerCase()}.</p>`;
  return html`<section class="figures" aria-label="Figures">
    <div class="section-head"><h2>Figures <span class="soft">since ${timeText(loaded.data.since)}</span></h2>
      <div class="actions" role="group" aria-label="Period">${Object.entries(periods).map(([key, one]) => html`<button type="button" class="small" aria-pressed=${key === chosen} onClick=${() => setChosen(key)}>${one.name}</button>`)}</div></div>
    <${Table} name="Functions" columns=${['Function', 'Calls', 'Failed', 'p50', 'p95', 'Longest', 'Calls over time', 'Latency over time']} rows=${shown} empty=${empty}>
      ${(one) => html`<${Row} key=${one.function} one=${one} period=${period} onChoose=${onChoose} chosen=${name !== ''} />`}<//>
    ${rows.length > shown.length && html`<button type="button" class="link" onClick=${() => setAll(true)}>All ${rows.length} functions</button>`}
    ${name && rows.length === 1 && html`<${Slots} list=${rows[0][period.slots]} period=${period} />`}
  </section>`;
}
