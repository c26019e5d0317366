// SPDX-License-Identifier: Apache-2.0
//
// Shows one widget in a frame and speaks the SDK's protocol with it. The frame has an origin of its own (sandbox without allow-same-origin), so
// it reads nothing of the console; only messages of that very window are heard, and answers go to nobody else. Every call is answered, or
// refused with a word that names it.
import { Refusal, makeAgent } from './widget/agent.js';
import { answerCall, answerRequest } from './widget/calls.js';

const CALLS_MAX = 200; // at once
const LISTEN_MS = 2000; // what 1.5 registers when it is loaded has time to say init()
const SIZE_MAX = 10000;
const AGAIN_MS = 3000; // after the server could not be reached

/** {Entity, EntityId, …} of the page's own address; several EntityId are a list. */
export function pageData(search) {
  const params = new URLSearchParams(search);
  const data = {};
  for (const name of ['Entity', 'ButtonPosition']) {
    if (params.has(name)) {
      data[name] = params.get(name);
    }
  }
  const ids = params.getAll('EntityId');
  if (ids.length) {
    data.EntityId = ids.length > 1 || data.ButtonPosition ? ids : ids[0];
  }
  return data;
}

function refusalData(failure) {
  return failure instanceof Refusal ? failure.data : { code: 'ERROR', details: {}, message: failure?.message || 'The call failed', status: 'error' };
}

/** The size a widget asks for, in pixels or as "80%". */
function sizeOf(value) {
  const match = /^(\d{1,5})(?:px)?$/.exec(String(value ?? '').trim());
  return match && Number(match[1]) > 0 ? `${Math.min(Number(match[1]), SIZE_MAX)}px` : null;
}

function makeUi(frame, { say, complain }) {
  const note = (text) => {
    say(text);
    return true;
  };
  return {
    note,
    resize(width, height) {
      const size = { width: sizeOf(width), height: sizeOf(height) };
      Object.keys(size).filter((name) => size[name]).forEach((name) => {
        frame.style[name] = size[name];
      });
      return true;
    },
    message(given) {
      const text = String(given.message ?? '').slice(0, 2000);
      (/^(error|failure|alert)$/i.test(given.type ?? '') ? complain : say)(text);
      return true;
    },
    link: (text) => note(text),
  };
}

const rest = (ms) => new Promise((done) => setTimeout(done, ms));

/** Calls `changed` whenever a file of the widget's extension is saved, while it is served from a folder and `open()` holds. */
async function watchFiles(agent, open, changed) {
  let known = 0;
  while (open()) {
    try {
      const now = await agent.ask('changes', '', { after: known });
      if (now === 0) {
        return;
      }
      if (known && now !== known && open()) {
        changed();
      }
      known = now;
    } catch (failure) {
      if (failure instanceof Refusal) {
        return;
      }
      await rest(AGAIN_MS);
    }
  }
}

/**
 * Shows the widget in `frame` and answers it until the returned function is called.
 * @param {{frame: HTMLIFrameElement, namespace: string, widget: string, search: string, sandbox: boolean, say: Function, complain: Function}} options
 */
export async function hostWidget({ frame, namespace, widget, search, sandbox, say, complain }) {
  const agent = await makeAgent({ namespace, widget, sandbox });
  const tools = { agent, namespace, ui: makeUi(frame, { say, complain }) };
  const answerers = {
    CRM_EVENT: answerCall,
    HTTP_REQUEST: answerRequest,
    ZDK_EVENT: () => {
      throw new Refusal({ code: 'NOT_SUPPORTED', details: {}, message: 'There is no ZDK in Sluice', status: 'error' });
    },
  };
  let context = 0; // how often a page has registered
  let told = true; // PageLoad of this context
  let calls = 0;

  // The widget's origin is nobody's, so no other target can be named; the console's policy keeps the frame on our own pages.
  const post = (message) => frame.contentWindow?.postMessage(message, '*');
  const event = (eventName, data) => post({ type: 'FRAMEWORK.EVENT', eventName, data });

  function tellPage() {
    if (!told) {
      told = true;
      event('PageLoad', pageData(search));
    }
  }

  function register(message) {
    context++;
    told = false;
    event('SET_CONTEXT', { uniqueID: `sluice-${context}-${crypto.randomUUID()}`, locale: 'en_US', localeResource: {}, model: {}, connectors: [] });
    if (message.sdkVersion === undefined) {
      tellPage(); // init() has asked
    } else {
      const own = context;
      setTimeout(() => own === context && tellPage(), LISTEN_MS);
    }
  }

  async function answer(message) {
    const own = context;
    let eventName = 'EVENT_RESPONSE';
    let data;
    try {
      calls++;
      if (calls > CALLS_MAX) {
        throw new Refusal({ code: 'TOO_MANY_REQUESTS', details: {}, message: `A widget has at most ${CALLS_MAX} calls at once`, status: 'error' });
      }
      data = await answerers[message.eventName](message.data, tools);
    } catch (failure) {
      eventName = 'EVENT_RESPONSE_FAILURE';
      data = refusalData(failure);
    } finally {
      calls--;
    }
    if (own === context) { // else another page is in the frame by now
      post({ type: 'FRAMEWORK.EVENT', eventName, promiseid: message.promiseid, data });
    }
    if (message.eventName === 'ZDK_EVENT') {
      tellPage();
    }
  }

  function receive({ source, data }) {
    if (source !== frame.contentWindow || !data || typeof data !== 'object' || data.type !== 'SDK.EVENT') {
      return;
    }
    if (data.eventName === 'REGISTER') {
      register(data);
    } else if (data.eventName === 'DEREGISTER') {
      context++;
      told = true;
    } else if (Object.hasOwn(answerers, data.eventName)) {
      answer(data);
    } else if (data.promiseid !== undefined) {
      const message = `There is no event ${String(data.eventName)}`;
      post({ type: 'FRAMEWORK.EVENT', eventName: 'EVENT_RESPONSE_FAILURE', promiseid: data.promiseid, data: { code: 'NOT_SUPPORTED', details: {}, message, status: 'error' } });
    }
  }

  // A page that the widget went to by itself has lost the address's query: 1.5 asks again when it is told where it is.
  let registered = 0;
  function loaded() {
    if (context === registered) {
      post({ eventName: '__HANDSHAKE__', data: { parentOrigin: location.origin } });
    }
    registered = context;
  }

  window.addEventListener('message', receive);
  frame.addEventListener('load', loaded);
  const show = () => {
    frame.src = `${agent.url}?serviceOrigin=${encodeURIComponent(location.origin)}`;
  };
  let open = true;
  show();
  watchFiles(agent, () => open, show);
  return () => {
    open = false;
    window.removeEventListener('message', receive);
    frame.removeEventListener('load', loaded);
  };
}
