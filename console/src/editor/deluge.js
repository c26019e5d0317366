// SPDX-License-Identifier: Apache-2.0
//
// Deluge for CodeMirror: tokens for colours, and the indentation of blocks. The grammar itself lives in the program (src/lang); what is an
// error is asked of it.
import { HighlightStyle, LanguageSupport, StreamLanguage, syntaxHighlighting } from '@codemirror/language';
import { tags } from '@lezer/highlight';

const statements = new Set(['if', 'else', 'for', 'each', 'in', 'index', 'return', 'info', 'try', 'catch', 'break', 'continue', 'while', 'throw', 'invokeurl', 'sendmail', 'sendsms', 'insert', 'into', 'delete', 'from', 'update', 'call']);
const types = new Set(['void', 'string', 'int', 'bigint', 'decimal', 'float', 'bool', 'boolean', 'date', 'datetime', 'timestamp', 'map', 'list', 'collection', 'file', 'key-value', 'any', 'time']);
const words = new Set(['true', 'false', 'null']);

/** Reads to the closing quote; a text may go over lines, so what is open is kept in the state. */
function readText(stream, state) {
  while (!stream.eol()) {
    const char = stream.next();
    if (char === '\\') {
      stream.next();
    } else if (char === state.quote) {
      state.quote = null;
      break;
    }
  }
  return 'string';
}

function readComment(stream, state) {
  const end = stream.string.indexOf('*/', stream.pos);
  if (end < 0) {
    stream.skipToEnd();
  } else {
    stream.pos = end + 2;
    state.comment = false;
  }
  return 'comment';
}

function readName(stream, state) {
  stream.eatWhile(/[\p{L}\p{N}_]/u);
  const word = stream.current();
  const low = word.toLowerCase();
  const after = state.before;
  state.before = word;
  if (after === '.') {
    return stream.match(/^\s*\(/, false) ? 'propertyName.function' : 'propertyName';
  }
  if (statements.has(low)) {
    return 'keyword';
  }
  if (words.has(low)) {
    return 'atom';
  }
  if (types.has(low) && !stream.match(/^\s*\./, false)) {
    return 'typeName';
  }
  return stream.match(/^\s*\(/, false) ? 'variableName.function' : 'variableName';
}

const mode = {
  name: 'deluge',
  startState: () => ({ quote: null, comment: false, before: '', depth: 0 }),
  token(stream, state) {
    if (state.comment) {
      return readComment(stream, state);
    }
    if (state.quote) {
      return readText(stream, state);
    }
    if (stream.eatSpace()) {
      return null;
    }
    if (stream.match('//')) {
      stream.skipToEnd();
      return 'comment';
    }
    if (stream.match('/*')) {
      state.comment = true;
      return readComment(stream, state);
    }
    const char = stream.peek();
    if (char === '"' || char === "'") {
      state.quote = stream.next();
      state.before = '';
      return readText(stream, state);
    }
    if (/[0-9]/.test(char)) {
      stream.match(/^[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]+)?/);
      state.before = '';
      return 'number';
    }
    if (/[\p{L}_]/u.test(char)) {
      return readName(stream, state);
    }
    stream.next();
    state.before = char;
    state.depth += char === '{' ? 1 : char === '}' ? -1 : 0;
    return /[=+\-*/%<>!&|]/.test(char) ? 'operator' : 'punctuation';
  },
  indent(state, after, context) {
    return Math.max(0, state.depth - (/^\s*\}/.test(after) ? 1 : 0)) * context.unit;
  },
  languageData: { commentTokens: { line: '//', block: { open: '/*', close: '*/' } }, indentOnInput: /^\s*\}$/ },
};

const colours = HighlightStyle.define([
  { tag: tags.keyword, class: 'tok-keyword' },
  { tag: [tags.typeName, tags.atom], class: 'tok-type' },
  { tag: tags.string, class: 'tok-text' },
  { tag: tags.number, class: 'tok-number' },
  { tag: tags.comment, class: 'tok-comment' },
  { tag: [tags.function(tags.variableName), tags.function(tags.propertyName)], class: 'tok-call' },
  { tag: tags.operator, class: 'tok-operator' },
]);

export const deluge = () => new LanguageSupport(StreamLanguage.define(mode), [syntaxHighlighting(colours)]);
