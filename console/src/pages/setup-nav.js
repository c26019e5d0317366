// SPDX-License-Identifier: Apache-2.0
//
// The second navigation of the pages below Setup.
import { html } from '../ui.js';

export const setupGroups = [
  { group: 'Automation', links: [{ name: 'Actions', path: '/setup/actions', text: 'The org’s own functions: write, try and call them.' }] },
  { group: 'Marketplace', links: [{ name: 'All', path: '/setup/marketplace', text: 'Install, upgrade and set up extensions.' }] },
  {
    group: 'Access',
    links: [
      { name: 'Users', path: '/setup/users', title: 'Users', text: 'Who may sign in to this console, and what they may do.' },
      { name: 'API clients', path: '/setup/api-clients', title: 'API clients', text: 'OAuth clients: programs that call the REST API.' },
      { name: 'Connections', path: '/setup/connections', title: 'Connections', text: 'How scripts are let in by other services.' },
    ],
  },
];

export function SetupNav({ here }) {
  return html`<nav aria-label="Setup" class="sub-nav">${setupGroups.map(({ group, links }) => html`<div class="part"><span class="group" id=${`setup-${group}`}>${group}</span>
    <ul aria-labelledby=${`setup-${group}`}>${links.map((link) => html`<li><a href=${`/console${link.path}`} aria-current=${here === link.path ? 'page' : undefined}>${link.name}</a></li>`)}</ul></div>`)}</nav>`;
}
