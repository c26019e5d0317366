// SPDX-License-Identifier: Apache-2.0
//
// The page that shows one widget.
import { useEffect, useRef, useState } from 'preact/hooks';
import { currentPlace } from '../api.js';
import { Title, complain, failureText, html, say } from '../ui.js';

export function Widget({ namespace, widget }) {
  const frame = useRef();
  const [failure, setFailure] = useState(null);
  useEffect(() => {
    let close = null;
    let gone = false;
    const sandbox = currentPlace().environment === 'sandbox';
    import('../widget-host.js')
      .then(({ hostWidget }) => hostWidget({ frame: frame.current, namespace, widget, search: location.search, sandbox, say, complain }))
      .then((done) => (gone ? done() : (close = done)))
      .catch((why) => gone || setFailure(why));
    return () => {
      gone = true;
      close?.();
    };
  }, [namespace, widget]);
  return html`<${Title} text=${widget} />
    ${failure ? html`<div class="empty-state" role="alert"><p>${failureText(failure)}</p></div>`
      : html`<div class="widget-frame"><iframe ref=${frame} title=${widget} sandbox="allow-scripts allow-forms allow-popups" referrerpolicy="no-referrer"></iframe></div>`}`;
}
