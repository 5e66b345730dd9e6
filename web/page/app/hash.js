// The address bar: view state behind the #, which browsers send to nobody. A small input
// goes there only when asked for.

import { $, h, fill, say, copy, bytes } from './dom.js';

const mostShared = 64 << 10; // bytes of text
const mostPacked = 24 << 10; // characters of a link
const views = ['compare', 'rules'];

/** The state that the address bar holds: theme, view, example, text. */
export class View {
  #shown = ''; // the input that the address stands for, as it stands there

  #read() { return new URLSearchParams(location.hash.slice(1)); }

  #write(params) {
    const text = params.toString();
    history.replaceState(null, '', text ? `#${text}` : location.pathname + location.search);
  }

  get theme() { return ['light', 'dark'].find((t) => t === this.#read().get('theme')); }

  set(name, value) {
    const p = this.#read();
    if (value) p.set(name, value);
    else p.delete(name);
    this.#write(p);
  }

  /** Says which input is shown: an example by its name, a text as it is in a link, or
   * one that the address does not name. */
  input(name, value) {
    const p = this.#read();
    p.delete('example');
    p.delete('text');
    if (name) p.set(name, value);
    this.#shown = name ? `${name}=${value}` : '';
    this.#write(p);
  }

  /** Does what the address says, when the page is opened and when somebody changes it. */
  async apply(on) {
    const p = this.#read();
    on.view(views.includes(p.get('view')) ? p.get('view') : 'one');
    on.theme(this.theme);
    const name = ['text', 'example'].find((n) => p.get(n));
    if (!name || `${name}=${p.get(name)}` === this.#shown) return;
    const value = p.get(name);
    if (name === 'example') {
      await on.example(value);
      return;
    }
    const text = await unpack(value).catch(() => null);
    if (text === null) {
      say('The text in the link is damaged');
      this.input();
      return;
    }
    on.text(text);
    this.input('text', value);
  }

  /** Offers a link; with the input in it only after a warning. */
  async share(input) {
    const dialog = $('dialog');
    const close = () => dialog.close();
    const small = input.typed && input.size <= mostShared;
    fill(dialog, h('h2', { id: 'dialog-title' }, 'Link'),
      h('p', {}, 'A link to this view holds no input:'),
      h('div', { class: 'bar' }, h('button', { type: 'button', onclick: async () => { if (await copy(this.#link(), 'Link')) close(); } }, 'Copy the link to the view')),
      small ? [
        h('p', { class: 'advice bad' }, `A link with the input holds all ${bytes(input.size)} of it: whoever sees the link, in a chat, a ticket or a browser's history, can read it. Redact it first if it is confidential.`),
        h('div', { class: 'bar' }, h('button', { type: 'button', id: 'share-text', onclick: async () => {
          const packed = await pack(input.files[0].text);
          if (packed.length > mostPacked) {
            fill(dialog.querySelector('.result'), 'It is too long for a link.');
            return;
          }
          this.input('text', packed);
          if (await copy(this.#link(packed), 'Link with the input')) close();
        } }, 'Copy the link with the input'), h('span', { class: 'result', role: 'status' })),
      ] : h('p', { class: 'quiet' }, `Inputs of more than ${bytes(mostShared)}, and files, do not go into a link: save the report instead.`),
      h('div', { class: 'bar' }, h('button', { type: 'button', onclick: close }, 'Close')));
    dialog.showModal();
  }

  #link(text) {
    const p = this.#read();
    p.delete('text');
    if (text) p.set('text', text);
    const url = new URL(location.href);
    url.hash = p.toString();
    return url.href;
  }
}

async function through(data, stream) {
  return new Uint8Array(await new Response(new Blob([data]).stream().pipeThrough(stream)).arrayBuffer());
}

export async function pack(text) {
  const data = await through(text, new CompressionStream('deflate-raw'));
  let s = '';
  for (const b of data) s += String.fromCharCode(b);
  return btoa(s).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '');
}

/** Unpacks the text of a link, which anybody can have made: no more than was let in. */
export async function unpack(packed) {
  const data = Uint8Array.from(atob(packed.replaceAll('-', '+').replaceAll('_', '/')), (c) => c.charCodeAt(0));
  const reader = new Blob([data]).stream().pipeThrough(new DecompressionStream('deflate-raw')).getReader();
  const parts = [];
  let size = 0;
  for (;;) {
    const { done, value } = await reader.read();
    if (done) break;
    size += value.length;
    if (size > mostShared * 2) throw new Error('too long');
    parts.push(value);
  }
  return new Blob(parts).text();
}
