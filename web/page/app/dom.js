// The few things that every part of the page needs of the DOM. Text of a log goes in as
// text, never as HTML.

/** Makes an element. Attributes that are functions are listeners, `on` cut off their name. */
export function h(tag, attributes, ...children) {
  const el = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes ?? {})) {
    if (value === undefined || value === null || value === false) continue;
    if (typeof value === 'function') el.addEventListener(name.slice(2), value);
    else if (name === 'class') el.className = value;
    else el.setAttribute(name, value === true ? '' : value);
  }
  append(el, children);
  return el;
}

function append(el, children) {
  for (const child of children.flat(Infinity)) {
    if (child !== undefined && child !== null && child !== false) el.append(typeof child === 'string' ? visible(child) : child);
  }
}

// Controls and marks of direction would move or hide what stands behind them.
const hidden = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]/g;

/** Shows characters that nobody could see; each stays one character. */
export const visible = (s) => s.replace(hidden, (c) => (c < ' ' ? String.fromCodePoint(0x2400 + c.codePointAt(0)) : '\ufffd'));

/** Puts children in place of what an element holds. */
export function fill(el, ...children) {
  el.replaceChildren();
  append(el, children);
  return el;
}

export const $ = (id) => document.getElementById(id);

/** Plural in words: 1 thread, 2 threads. */
export const plural = (n, word) => `${n.toLocaleString('en')} ${word}${n === 1 ? '' : 's'}`;

export function bytes(n) {
  if (n < 1024) return plural(n, 'byte');
  const units = ['KiB', 'MiB', 'GiB'];
  let i = -1;
  do { n /= 1024; i++; } while (n >= 1024 && i < units.length - 1);
  return `${n < 10 ? n.toFixed(1) : Math.round(n)} ${units[i]}`;
}

const toast = $('toast');

/** Says something to screen readers, and shows it for a moment: in an open dialog, beside
 * which nothing is heard or seen. */
export function say(text) {
  const home = document.querySelector('dialog[open]') ?? document.body;
  if (toast.parentNode !== home) home.append(toast);
  toast.textContent = text;
  toast.classList.add('shown');
  clearTimeout(say.timer);
  say.timer = setTimeout(() => toast.classList.remove('shown'), 4000);
}

/** Puts a text on the clipboard, and says whether that was done. */
export async function copy(text, what) {
  const done = await navigator.clipboard?.writeText(text).then(() => true, () => false) || copySelected(text);
  say(done ? `${what} copied` : 'The browser does not let this page copy. Mark the text and press Ctrl+C.');
  return done;
}

/** The way without the clipboard of secure pages: plain http, file:// in some browsers. */
function copySelected(text) {
  const focused = document.activeElement;
  const area = h('textarea', { class: 'offscreen', 'aria-hidden': 'true', tabindex: '-1' });
  area.value = text;
  (document.querySelector('dialog[open]') ?? document.body).append(area);
  area.select();
  let done = false;
  try { done = document.execCommand('copy'); } catch { /* not allowed either */ }
  area.remove();
  focused?.focus?.({ preventScroll: true });
  return done;
}

/** A debugger command with a button that copies it. */
export function command(text) {
  return h('span', { class: 'command' },
    h('code', {}, text),
    h('button', { type: 'button', class: 'copy', 'aria-label': `Copy ${text}`, title: 'Copy', onclick: () => copy(text, text) }, h('span', { class: 'two-sheets', 'aria-hidden': 'true' })));
}

export const commands = (list) => list.length > 0 && h('p', { class: 'commands' }, list.map(command));

/** Lets the browser save a file. */
export function save(name, type, data) {
  const url = URL.createObjectURL(new Blob([data], { type }));
  const a = h('a', { href: url, download: name, class: 'offscreen' });
  document.body.append(a);
  a.click();
  a.remove();
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}
