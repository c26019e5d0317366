// SPDX-License-Identifier: Apache-2.0
//
// Who may sign in to this console, and as what. The accounts are the server's, not an org's; only admins see them.
import { useId, useState } from 'preact/hooks';
import { Action, Dialog, Field, Loaded, Table, Title, copy, html, say, timeText, useLoad } from '../ui.js';
import { call, get, may, seg, session } from '../api.js';
import { SetupNav } from './setup-nav.js';

const roles = [
  { name: 'viewer', text: 'Viewer: reads everything but keys and secrets' },
  { name: 'developer', text: 'Developer: writes functions, records and settings' },
  { name: 'admin', text: 'Admin: users, API clients and orgs too' },
];

function RoleField({ value, onInput }) {
  const id = useId();
  return html`<div class="field"><label for=${id}>Role</label>
    <select id=${id} value=${value} onChange=${(event) => onInput(event.target.value)}>${roles.map((role) => html`<option value=${role.name}>${role.text}</option>`)}</select></div>`;
}

const passwordHint = 'At least 8 characters. Whoever gets the account can be sent it, or a sign-in link instead.';

function NewUser({ onClose, onDone }) {
  const [email, setEmail] = useState('');
  const [name, setName] = useState('');
  const [role, setRole] = useState('developer');
  const [password, setPassword] = useState('');
  const submit = async () => {
    await call('POST', '/control/users', { email, name, role, password });
    onDone(`${email} may sign in.`);
  };
  return html`<${Dialog} name="New User" submit="Save" onClose=${onClose} onSubmit=${submit}>
    <${Field} label="E-mail address" type="email" value=${email} onInput=${setEmail} />
    <${Field} label="Name" value=${name} onInput=${setName} />
    <${RoleField} value=${role} onInput=${setRole} />
    <${Field} label="Password" type="password" value=${password} onInput=${setPassword} autocomplete="new-password" hint=${passwordHint} />
  <//>`;
}

function EditUser({ user, onClose, onDone }) {
  const [name, setName] = useState(user.name);
  const [role, setRole] = useState(user.role);
  const [password, setPassword] = useState('');
  const submit = async () => {
    await call('PUT', `/control/users/${seg(user.email)}`, { name, role, ...(password && { password }) });
    onDone(`${user.email} is changed, and signs in anew.`);
  };
  return html`<${Dialog} name=${`Edit ${user.email}`} submit="Save" onClose=${onClose} onSubmit=${submit}>
    <${Field} label="Name" value=${name} onInput=${setName} />
    <${RoleField} value=${role} onInput=${setRole} />
    <${Field} label="New Password" type="password" value=${password} onInput=${setPassword} autocomplete="new-password" hint="Empty leaves the password as it is." />
  <//>`;
}

function DeleteUser({ user, onClose, onDone }) {
  const submit = async () => {
    await call('DELETE', `/control/users/${seg(user.email)}`);
    onDone(`${user.email} is deleted.`);
  };
  return html`<${Dialog} name=${`Delete ${user.email}`} submit="Delete" onClose=${onClose} onSubmit=${submit}><p>The account ends at once, with its sessions. What it has written stays.</p><//>`;
}

function SignInLink({ user, url, onClose }) {
  return html`<${Dialog} name=${`Sign-in link of ${user.email}`} onClose=${onClose}
    footer=${html`<button type="button" onClick=${onClose}>Close</button><button type="button" class="main" onClick=${() => copy(url, 'The link')}>Copy link</button>`}>
    <${Field} label="Link" value=${url} onInput=${() => {}} readonly class="code-input" hint="It signs in once, within ten minutes. Whoever has it is this user: send it where only they read." />
  <//>`;
}

export function Users() {
  const users = useLoad(() => (may('admin') ? get('/control/users') : []), 'users');
  const [open, setOpen] = useState(null);
  const close = () => setOpen(null);
  const done = async (text) => {
    close();
    await users.reload();
    say(text);
  };
  const link = async (user) => setOpen({ what: SignInLink, user, url: (await call('POST', '/control/links', { email: user.email })).url });
  const empty = html`<strong>No users yet</strong><p>You are signed in by the operator’s link. With a user of your own you sign in by password, and others get roles of theirs.</p>`;
  const lead = 'Who may sign in to this console. Users of the CRM itself are records of the org.';
  return html`<${SetupNav} here="/setup/users" /><${Title} text="Users" lead=${lead}>
      ${may('admin') && html`<button type="button" class="main" onClick=${() => setOpen({ what: NewUser })}>New User</button>`}<//>
    ${!may('admin')
      ? html`<div class="empty-state"><strong>Only admins see the users</strong><p>Your role is ${session.user.role}. Ask an admin to change it, or to make a user.</p></div>`
      : html`<${Loaded} from=${users}>${(all) => html`
        <${Table} name="Users" columns=${['E-mail address', 'Name', 'Role', 'Made', 'Last signed in', 'Actions']} rows=${all} empty=${empty}>
          ${(user) => html`<tr key=${user.email}><th scope="row">${user.email}</th><td>${user.name}</td><td>${user.role}</td><td class="when">${timeText(user.created_time)}</td>
            <td class="when">${user.signed_in_time ? timeText(user.signed_in_time) : html`<span class="soft">never</span>`}</td>
            <td><div class="actions"><${Action} class="small" aria-label=${`Sign-in link of ${user.email}`} onClick=${() => link(user)}>Sign-in link<//>
              <button type="button" class="small" aria-label=${`Edit ${user.email}`} onClick=${() => setOpen({ what: EditUser, user })}>Edit</button>
              <button type="button" class="small danger" aria-label=${`Delete ${user.email}`} onClick=${() => setOpen({ what: DeleteUser, user })}>Delete</button></div></td></tr>`}
        <//>`}<//>`}
    ${open && html`<${open.what} ...${open} onClose=${close} onDone=${done} />`}`;
}
