// SPDX-License-Identifier: Apache-2.0
//
// A script that was left without saving: kept in this tab for its address, and offered when the page is come back to. Never shown by itself:
// what a page shows is what is saved.
const keyOf = (path) => `sluice.unsaved.${path}`;

/** The text that was left at this address, unless it is `saved` after all. */
export function readUnsaved(saved) {
  try {
    const text = sessionStorage.getItem(keyOf(location.pathname));
    return text === saved ? null : text;
  } catch {
    return null; // a page without storage
  }
}

/** null: there is nothing to keep. */
export function keepUnsaved(text, path = location.pathname) {
  try {
    text === null ? sessionStorage.removeItem(keyOf(path)) : sessionStorage.setItem(keyOf(path), text);
  } catch {
    // without storage, or with a full one, what is not saved is lost with the page
  }
}
