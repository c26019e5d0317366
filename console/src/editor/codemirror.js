// SPDX-License-Identifier: Apache-2.0
//
// The editor itself: CodeMirror with Deluge. A part of its own, loaded when a page shows a script.
// Tab indents; after Escape it moves on, until something is typed. Enter is always a new line unless a completion was chosen by arrow keys. No
// bracket or quote is closed by itself: what is typed is what stands there.
import { acceptCompletion, autocompletion, completionKeymap, completionStatus, moveCompletionSelection, selectedCompletion } from '@codemirror/autocomplete';
import { defaultKeymap, history, historyKeymap, indentWithTab } from '@codemirror/commands';
import { bracketMatching, foldGutter, foldKeymap, indentOnInput, indentUnit } from '@codemirror/language';
import { forceLinting, lintGutter, linter } from '@codemirror/lint';
import { highlightSelectionMatches, search, searchKeymap } from '@codemirror/search';
import { EditorState, Prec } from '@codemirror/state';
import { EditorView, drawSelection, highlightActiveLine, highlightActiveLineGutter, hoverTooltip, keymap, lineNumbers } from '@codemirror/view';
import { deluge } from './deluge.js';

const look = EditorView.theme({
  '&': { color: 'var(--text)', backgroundColor: 'var(--surface)', fontSize: '13px' },
  '&.cm-focused': { outline: 'none' },
  '.cm-scroller': { fontFamily: 'var(--mono)', lineHeight: '20px', minHeight: '240px', maxHeight: '60vh', overflow: 'auto' },
  '.cm-content': { padding: '8px 0', caretColor: 'var(--text)' },
  '.cm-cursor': { borderLeftColor: 'var(--text)' },
  '.cm-gutters': { backgroundColor: 'var(--surface)', color: 'var(--soft)', border: 'none' },
  '.cm-activeLine, .cm-activeLineGutter': { backgroundColor: 'color-mix(in srgb, var(--sunken) 70%, transparent)' },
  '&.cm-focused > .cm-scroller > .cm-selectionLayer .cm-selectionBackground, .cm-selectionBackground': { backgroundColor: 'var(--accent-ground)' },
  '.cm-tooltip': { backgroundColor: 'var(--raised)', color: 'var(--text)', border: '1px solid var(--line)', borderRadius: '6px', boxShadow: 'var(--shadow)' },
  '.cm-tooltip.cm-tooltip-autocomplete > ul > li[aria-selected]': { backgroundColor: 'var(--accent)', color: 'var(--on-accent)' },
  '.cm-tooltip-hover': { padding: '8px 12px', maxWidth: '520px' },
  '.cm-panels': { backgroundColor: 'var(--raised)', color: 'var(--text)' },
  '.cm-diagnostic': { padding: '4px 8px' },
});

/** The table's rows that a word may mean: functions of values stand behind a dot, the others do not. */
function completions(table) {
  const option = (row) => ({ label: row.name, type: row.keyword ? 'keyword' : 'function', detail: row.signature, info: row.doc || undefined, apply: row.name });
  const afterDot = table.filter((row) => row.receiver).map(option);
  const plain = table.filter((row) => !row.receiver).map(option);
  return (context) => {
    const word = context.matchBefore(/(?:[\p{L}_][\p{L}\p{N}_.]*|(?<!\d)\.[\p{L}\p{N}_]*)$/u);
    if (!word && !context.explicit) {
      return null;
    }
    const text = word?.text ?? '';
    const whole = plain.filter((one) => one.label.includes('.') && one.label.toLowerCase().startsWith(text.toLowerCase()));
    const dot = text.lastIndexOf('.');
    if (dot < 0 || whole.length) {
      return { from: word?.from ?? context.pos, options: plain, validFor: /^[\p{L}\p{N}_.]*$/u };
    }
    return { from: word.from + dot + 1, options: afterDot, validFor: /^[\p{L}\p{N}_]*$/u };
  };
}

/** What the table says of the word under the pointer. */
function hover(table) {
  return hoverTooltip((view, pos) => {
    const line = view.state.doc.lineAt(pos);
    for (const found of line.text.matchAll(/[\p{L}_][\p{L}\p{N}_.]*/gu)) {
      const from = line.from + found.index;
      if (pos < from || pos > from + found[0].length) {
        continue;
      }
      const last = found[0].split('.').pop().toLowerCase();
      const rows = table.filter((row) => row.name.toLowerCase() === found[0].toLowerCase());
      const shown = rows.length ? rows : table.filter((row) => row.name.toLowerCase() === last && (row.receiver || !found[0].includes('.')));
      return shown.length ? { pos: from, end: from + found[0].length, above: true, create: () => ({ dom: describe(shown) }) } : null;
    }
    return null;
  });
}

function describe(rows) {
  const dom = document.createElement('div');
  for (const row of rows.slice(0, 4)) {
    const code = dom.appendChild(document.createElement('div'));
    code.className = 'mono';
    code.textContent = `${row.receiver ? row.receiver + '.' : ''}${row.signature || row.name}`;
    if (row.doc) {
      dom.appendChild(document.createElement('div')).textContent = row.doc;
    }
  }
  return dom;
}

const positionOf = (doc, line, column) => {
  const found = doc.line(Math.min(Math.max(line, 1), doc.lines));
  return Math.min(found.from + Math.max((column || 1) - 1, 0), found.to);
};

function marks(check, report) {
  return linter(
    async (view) => {
      const problems = await check(view.state.doc.toString());
      report(problems);
      return problems.map((problem) => {
        const doc = view.state.doc;
        const from = positionOf(doc, problem.line, problem.column);
        const end = doc.lineAt(from).to;
        return { from: Math.min(from, Math.max(end - 1, doc.lineAt(from).from)), to: end, severity: problem.severity === 'warning' ? 'warning' : 'error', message: problem.message };
      });
    },
    { delay: 350 },
  );
}

function chooseFirst(view) {
  if (completionStatus(view.state) !== 'active') {
    return false;
  }
  if (!selectedCompletion(view.state)) {
    moveCompletionSelection(true)(view);
  }
  return acceptCompletion(view);
}

/**
 * @param {object} settings parent element, source, `check(source)` → problems, `report(problems)`, `table` of natives, onChange, onSave, onExecute, readOnly
 * @returns {{text: function(): string, setText: function(string), goTo: function(number, number), check: function(), focus: function(), close: function()}}
 */
export function openEditor({ parent, source, check, report, table, onChange, onSave, onExecute, readOnly }) {
  const keys = [
    { key: 'Tab', run: chooseFirst },
    { key: 'Escape', run: (view) => (view.setTabFocusMode(true), false) }, // besides what else it closes
    { key: 'Mod-s', preventDefault: true, run: () => (onSave?.(), true) },
    { key: 'Mod-Enter', preventDefault: true, run: () => (onExecute?.(), true) },
  ];
  const view = new EditorView({
    parent,
    state: EditorState.create({
      doc: source,
      extensions: [
        Prec.high(keymap.of(keys)), lineNumbers(), foldGutter(), lintGutter(), highlightActiveLine(), highlightActiveLineGutter(), drawSelection(), history(),
        indentUnit.of('\t'), EditorState.tabSize.of(4), indentOnInput(), bracketMatching(), highlightSelectionMatches(), search({ top: true }),
        deluge(), look, marks(check, report), hover(table),
        autocompletion({ override: [completions(table)], selectOnOpen: false, icons: false, interactionDelay: 0, defaultKeymap: false }),
        keymap.of([...completionKeymap, ...historyKeymap, ...searchKeymap, ...foldKeymap, ...defaultKeymap, indentWithTab]),
        EditorView.contentAttributes.of({ 'aria-label': 'Deluge Script Editor', spellcheck: 'false', autocapitalize: 'off' }),
        EditorView.updateListener.of((update) => {
          if (update.docChanged) {
            update.view.setTabFocusMode(false);
            onChange(update.state.doc.toString());
          }
        }),
        EditorView.domEventHandlers({
          // CodeMirror hears of the focus 10 ms later and then puts its own selection back, over one that somebody made meanwhile.
          focus: (event, self) => void self.dispatch({}),
          blur: (event, self) => void self.setTabFocusMode(false),
        }),
        EditorState.readOnly.of(Boolean(readOnly)),
      ],
    }),
  });
  return {
    text: () => view.state.doc.toString(),
    setText: (text) => view.dispatch({ changes: { from: 0, to: view.state.doc.length, insert: text } }),
    goTo: (line, column) => {
      view.dispatch({ selection: { anchor: positionOf(view.state.doc, line, column) }, scrollIntoView: true });
      view.focus();
    },
    check: () => forceLinting(view),
    focus: () => view.focus(),
    close: () => view.destroy(),
  };
}
