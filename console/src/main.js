// SPDX-License-Identifier: Apache-2.0
//
// The frame around every page: banner, navigation, notices, and the table of addresses. Pages are in pages/, one subject a file.
import { render } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import { Notices, Title, complain, html } from './ui.js';
import { call, choosePlace, currentPlace, get, session } from './api.js';
import { base, match, usePath } from './router.js';
import { SignIn } from './pages/sign-in.js';
import { pages, sections } from './pages/index.js';

// Drawn here, 16 by 16, in the colour of their text.
const icons = {
  Extensions: 'M2 5.5 8 2l6 3.5v5L8 14l-6-3.5zM2 5.5 8 9l6-3.5M8 9v5',
  Setup: 'M2 4.5h7M13 4.5h1M2 11.5h1M7 11.5h7M11 2.5v4M5 9.5v4',
  Records: 'M2.5 3h11v10h-11zM2.5 6.5h11M2.5 9.75h11M6.5 6.5V13',
  Runs: 'M8 2a6 6 0 1 0 0 12A6 6 0 0 0 8 2zM6.75 5.5v5L10.5 8z',
  Signals: 'M8 9v5M5.5 10.5a3.5 3.5 0 1 1 5 0M3.4 12.6a6.5 6.5 0 1 1 9.2 0',
  Keys: 'M5.5 7a3.5 3.5 0 1 0 3.4 4.4H11V13h2v-1.6h1V9.5H8.9A3.5 3.5 0 0 0 5.5 7z',
  'API console': 'M2.5 3h11v10h-11zM5 6l2 2-2 2M8.5 10.5H11',
};

const links = sections.filter((section) => pages.some(([pattern]) => pattern === section.path));

function Main({ path }) {
  const list = useRef();
  useEffect(() => { // by hand: scrollIntoView would move from where Tab goes on
    const nav = list.current.parentElement;
    const link = list.current.querySelector('[aria-current]')?.getBoundingClientRect();
    if (link) {
      nav.scrollLeft += link.left + link.width / 2 - (nav.getBoundingClientRect().left + nav.clientWidth / 2);
    }
  }, [path]);
  return html`<nav aria-label="Main" class="main-nav"><ul ref=${list}>
    ${links.map((section) => {
      const here = path === section.path || path.startsWith(section.path + '/') || (path === '' && section.path === '/extensions');
      return html`<li><a href=${base + section.path} aria-current=${here ? 'page' : undefined}><svg viewBox="0 0 16 16" aria-hidden="true"><path d=${icons[section.name]} /></svg>${section.name}</a></li>`;
    })}
  </ul></nav>`;
}

/** The environments of all orgs, when there is more than one to choose from. */
function Place() {
  const [places, setPlaces] = useState([]);
  useEffect(() => {
    get('/control/orgs')
      .then((orgs) => setPlaces(orgs.flatMap((org) => org.environments.map(({ environment }) => ({ org: org.name, environment })))))
      .catch(() => setPlaces([]));
  }, []);
  if (places.length < 2) {
    return null;
  }
  const current = currentPlace();
  const choose = (event) => {
    choosePlace(...event.target.value.split('/'));
    location.reload();
  };
  return html`<label class="place"><span>Environment</span>
    <select onChange=${choose} value=${`${current.org}/${current.environment}`}>
      ${places.map((place) => html`<option value=${`${place.org}/${place.environment}`}>${place.org} · ${place.environment}</option>`)}
    </select></label>`;
}

function NotFound() {
  return html`<${Title} text="No such page" lead="The console has nothing at this address." />
    <p><a class="button" href=${base + '/'}>To the first page</a></p>`;
}

function Page({ path }) {
  for (const [pattern, Component] of pages) {
    const params = match(pattern, path);
    if (params) {
      // The key makes a new page of another address: nothing of the page before is left in it.
      return html`<${Component} key=${path} ...${params} />`;
    }
  }
  return html`<${NotFound} />`;
}

async function signOut() {
  try {
    await call('POST', '/console/api/sign-out');
    location.assign('/console/sign-in?out=1');
  } catch (failure) {
    complain(failure);
  }
}

function Frame() {
  const path = usePath();
  return html`<a class="skip" href="#content">Skip to the page</a>
    <header class="banner">
      <a class="brand" href=${base + '/'}><svg viewBox="0 0 16 16" aria-hidden="true"><path d="M2 2h3v12H2zM11 2h3v12h-3zM5 6h6v2H5zM5 10h6v2H5z" /></svg>Sluice</a>
      <${Place} />
      <span class="who">${session.user.name || session.user.email}${session.user.role !== 'admin' && html` <span class="badge">${session.user.role}</span>`}</span>
      <button type="button" onClick=${signOut}>Sign out</button>
    </header>
    <${Main} path=${path} />
    <main id="content" tabindex="-1"><${Page} path=${path} /></main>
    <${Notices} />`;
}

async function loadSession() {
  try {
    return await get('/console/api/session');
  } catch (failure) {
    if (failure.status !== 404) {
      throw failure;
    }
    // The org that was chosen in this tab is not of this server.
    choosePlace('default', 'production');
    return get('/console/api/session');
  }
}

async function begin() {
  const target = document.getElementById('page');
  if (location.pathname.replace(/\/+$/, '') === '/console/sign-in') {
    // Who comes from another site's page has his session, but the browser did not send it on the way here.
    if (await get('/console/api/session').catch(() => null)) {
      location.replace('/console/');
      return;
    }
    render(html`<${SignIn} />`, target);
    return;
  }
  try {
    Object.assign(session, await loadSession());
  } catch (failure) {
    if (failure.status === 401) {
      location.replace('/console/sign-in');
      return;
    }
    render(html`<main class="alone"><h1>Sluice does not answer</h1><p role="alert">${failure.message}</p></main>`, target);
    return;
  }
  render(html`<${Frame} />`, target);
}

begin();
