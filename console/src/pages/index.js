// SPDX-License-Identifier: Apache-2.0
//
// THE table of the console's addresses, and the sections of its navigation in their order. A section is shown when its page is there.
import { Records, ModuleRecords, OneRecord } from './records.js';

export const sections = [
  { name: 'Extensions', path: '/extensions' },
  { name: 'Setup', path: '/setup' },
  { name: 'Records', path: '/records' },
  { name: 'Runs', path: '/runs' },
  { name: 'Signals', path: '/signals' },
  { name: 'Keys', path: '/keys' },
  { name: 'API console', path: '/api' },
];

export const pages = [
  ['/records', Records],
  ['/records/:module', ModuleRecords],
  ['/records/:module/:id', OneRecord],
];
