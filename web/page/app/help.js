// Dialogs that explain.

import { $, h, fill, commands } from './dom.js';
import { keys } from './keys.js';

const close = () => h('div', { class: 'bar' }, h('button', { type: 'button', autofocus: true, onclick: () => $('dialog').close() }, 'Close'));

export function help() {
  fill($('dialog'), h('h2', { id: 'dialog-title' }, 'Keys and help'),
    h('dl', { class: 'keys' }, keys.map(([k, what]) => [h('dt', {}, k.split(', ').map((x, i) => [i > 0 && ' ', h('kbd', {}, x)])), h('dd', {}, what)])),
    h('p', {}, 'Pictures: Ctrl and the wheel enlarge, dragging moves, a click on a thread or lock shows its evidence. In the lines of the input, a click or Enter tells what was read from a line.'),
    h('p', {}, 'Grades of evidence: A printed as object state, B arithmetic on printed numbers, C read from a stack or a reconciled list, D association.'),
    close());
  $('dialog').showModal();
}

/** The documentation of a detector or a rule. */
export async function explain(ask, id) {
  let doc;
  try {
    doc = await ask.json('explain', { id, rules: ask.rules });
  } catch (e) {
    doc = { id, title: e.message };
  }
  const text = (v) => (Array.isArray(v) ? h('ul', {}, v.map((x) => h('li', {}, typeof x === 'object' ? JSON.stringify(x) : String(x)))) : typeof v === 'object' ? h('pre', {}, JSON.stringify(v, null, 2)) : h('p', {}, String(v)));
  const words = (k) => k.replaceAll('_', ' ').replace(/^./, (c) => c.toUpperCase());
  fill($('dialog'), h('h2', { id: 'dialog-title' }, doc.title ?? id), h('p', { class: 'meta' }, id),
    Object.entries(doc).filter(([k, v]) => !['id', 'title'].includes(k) && v && (!Array.isArray(v) || v.length > 0)).map(([k, v]) => [h('h3', {}, words(k)), /command/.test(k) ? commands([v].flat()) : text(v)]),
    close());
  $('dialog').showModal();
  $('dialog').scrollTop = 0; // the focus is on the button at its end
}
