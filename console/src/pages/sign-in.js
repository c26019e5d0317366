// SPDX-License-Identifier: Apache-2.0
//
// Signing in: with an account's password, or by the one-time link that the server prints, which the server itself answers.
import { useState } from 'preact/hooks';
import { Field, failureText, html } from '../ui.js';
import { call } from '../api.js';
import { getQuery } from '../router.js';

function greeting() {
  if (getQuery('link') || getQuery('failed')) {
    return { alert: 'This link has been used, or its ten minutes are over. Get a new one as it says below.' };
  }
  if (getQuery('ended')) {
    return { alert: 'Your session has ended. Sign in again.' };
  }
  return getQuery('out') ? { status: 'You are signed out.' } : {};
}

/** Where the session ended; nothing but a page of the console. */
function target() {
  const { origin, pathname, search } = new URL(getQuery('to') || '/console/', location.origin);
  return origin === location.origin && pathname.startsWith('/console/') && !pathname.startsWith('/console/sign-in') ? pathname + search : '/console/';
}

const sentence = (text) => text.charAt(0).toUpperCase() + text.slice(1) + (/[.!?]$/.test(text) ? '' : '.');

export function SignIn() {
  const [said, setSaid] = useState(greeting());
  const [email, setEmail] = useState('');
  const [password, setPassword] = useState('');
  const [busy, setBusy] = useState(false);
  document.title = 'Sign in · Sluice';
  const submit = async (event) => {
    event.preventDefault();
    if (!email || !password) {
      setSaid({ alert: 'Fill in your e-mail address and your password.' });
      return;
    }
    setBusy(true);
    try {
      await call('POST', '/console/api/sign-in', { email, password });
      location.assign(target());
    } catch (failure) {
      setSaid({ alert: sentence(failureText(failure)) });
      setBusy(false);
    }
  };
  return html`<header class="banner"><span class="brand"><svg viewBox="0 0 16 16" aria-hidden="true"><path d="M2 2h3v12H2zM11 2h3v12h-3zM5 6h6v2H5zM5 10h6v2H5z" /></svg>Sluice</span></header>
    <main class="alone"><h1>Sign in</h1>
    <div role="alert" class="said bad">${said.alert ?? ''}</div><div role="status" class="said">${said.status ?? ''}</div>
    <form onSubmit=${submit} novalidate>
      <${Field} label="E-mail address" type="email" value=${email} onInput=${setEmail} autocomplete="username" />
      <${Field} label="Password" type="password" value=${password} onInput=${setPassword} autocomplete="current-password" />
      <button class="main" type="submit" aria-busy=${busy}>Sign in</button>
    </form>
    <section class="card" aria-labelledby="link-help"><h2 id="link-help">No account yet?</h2>
      <p>On the machine where Sluice runs, this prints a sign-in link; <code>sluice serve</code> prints one at its start, too:</p>
      <pre>sluice user link</pre>
      <p>The link works once, within ten minutes. Behind it, <em>Setup</em>, <em>Users</em> makes accounts with passwords.</p>
    </section></main>`;
}
