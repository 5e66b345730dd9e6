// The address bar: view state behind the #, which browsers send to nobody. A small input
// goes there only when asked for.

import { $, h, fill, copy, bytes } from './dom.js';

const mostShared = 64 << 10; // bytes of text
const mostPacked = 24 << 10; // characters of a link

export class View {
  #read() { return new URLSearchParams(location.hash.slice(1)); }

  #write(params) {
    const text = params.toString();
    history.replaceState(null, '', text ? `#${text}` : location.pathname + location.search);
  }

  set(name, value) {
    const p = this.#read();
    if (value) p.set(name, value);
    else p.delete(name);
    this.#write(p);
  }

  /** Forgets an input that is not shown any more. */
  drop() {
    const p = this.#read();
    p.delete('example');
    p.delete('text');
    this.#write(p);
  }

  async apply(on) {
    const p = this.#read();
    const [example, text, view] = ['example', 'text', 'view'].map((n) => p.get(n));
    if (['compare', 'rules'].includes(view)) on.view(view);
    if (text) {
      const got = await unpack(text).catch(() => null);
      if (got !== null) on.text(got);
    } else if (example) on.example(example);
  }

  /** Offers a link; with the input in it only after a warning. */
  async share(input) {
    const dialog = $('dialog');
    const plain = new URL(location.href);
    const p = this.#read();
    p.delete('text');
    plain.hash = p.toString();
    const close = () => dialog.close();
    const small = input.typed && input.size <= mostShared;
    fill(dialog, h('h2', { id: 'dialog-title' }, 'Link'),
      h('p', {}, 'A link to this view holds no input:'),
      h('div', { class: 'bar' }, h('button', { type: 'button', onclick: () => { copy(plain.href, 'Link'); close(); } }, 'Copy the link to the view')),
      small ? [
        h('p', { class: 'advice bad' }, `A link with the input holds all ${bytes(input.size)} of it: whoever sees the link, in a chat, a ticket or a browser's history, can read it. Redact it first if it is confidential.`),
        h('div', { class: 'bar' }, h('button', { type: 'button', id: 'share-text', onclick: async () => {
          const text = await pack(await input.files[0].blob.text());
          if (text.length > mostPacked) {
            fill(dialog.querySelector('.result'), 'It is too long for a link.');
            return;
          }
          p.delete('example');
          p.set('text', text);
          plain.hash = p.toString();
          this.#write(p);
          await copy(plain.href, 'Link with the input');
          close();
        } }, 'Copy the link with the input'), h('span', { class: 'result' })),
      ] : h('p', { class: 'quiet' }, `Inputs of more than ${bytes(mostShared)}, and files, do not go into a link: save the report instead.`),
      h('div', { class: 'bar' }, h('button', { type: 'button', onclick: close }, 'Close')));
    dialog.showModal();
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
