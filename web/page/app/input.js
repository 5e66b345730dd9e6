// What is analysed: a text in the box, or files. Large texts never enter the box.

import { $, h, fill, bytes } from './dom.js';

/** The box takes texts up to here; beyond, a text is kept as a file. */
export const mostTyped = 2 << 20;
/** While somebody types, inputs up to here are analysed by themselves. */
export const mostAtOnce = 5 << 20;

export class Input extends EventTarget {
  files = []; // {name, blob}
  #text = $('text');
  #large = $('large');

  constructor() {
    super();
    this.#text.addEventListener('input', (e) => this.#typed(e.inputType === 'insertFromPaste' ? 'pasted' : 'typed'));
    addEventListener('paste', (e) => this.#pasted(e));
    $('file').addEventListener('change', (e) => {
      this.take([...e.target.files]);
      e.target.value = '';
    });
    this.#dropping();
  }

  #changed(why) { this.dispatchEvent(new CustomEvent('change', { detail: why })); }

  get size() { return this.files.reduce((n, f) => n + f.blob.size, 0); }
  get typed() { return this.files.length === 1 && this.files[0].typed; }

  #typed(why) {
    const text = this.#text.value;
    this.files = text ? [{ name: 'pasted text', blob: new Blob([text]), typed: true }] : [];
    this.#changed(why);
  }

  /** A paste beside any field is a new input; one that the box would choke on goes past it. */
  #pasted(e) {
    if (e.target !== this.#text && e.target.closest?.('input, textarea, dialog, #compare, #own')) return;
    const files = [...(e.clipboardData?.files ?? [])];
    if (files.length > 0) {
      e.preventDefault();
      this.take(files);
      return;
    }
    const text = e.clipboardData?.getData('text/plain') ?? '';
    if (text.length > mostTyped) {
      e.preventDefault();
      this.set([{ name: 'pasted text', blob: new Blob([text]) }]);
    } else if (e.target !== this.#text && text) {
      e.preventDefault();
      this.text(text);
    }
  }

  #dropping() {
    const zone = $('drop');
    let depth = 0;
    const holdsFiles = (e) => [...(e.dataTransfer?.types ?? [])].some((t) => t === 'Files' || t === 'text/plain');
    addEventListener('dragenter', (e) => {
      if (!holdsFiles(e)) return;
      depth++;
      zone.hidden = false;
    });
    addEventListener('dragleave', () => { if (--depth <= 0) { depth = 0; zone.hidden = true; } });
    addEventListener('dragover', (e) => { if (holdsFiles(e)) e.preventDefault(); });
    addEventListener('drop', (e) => {
      depth = 0;
      zone.hidden = true;
      if (e.target === this.#text && !e.dataTransfer.files.length) return;
      e.preventDefault(); // else the browser would leave for the file
      if (e.dataTransfer.files.length > 0) this.dispatchEvent(new CustomEvent('files', { detail: [...e.dataTransfer.files] }));
      else if (e.dataTransfer.getData('text/plain')) this.text(e.dataTransfer.getData('text/plain'));
    });
  }

  /** Takes files as the case. */
  async take(list) {
    if (list.length === 0) return;
    const files = list.map((f) => ({ name: f.name, blob: f }));
    if (files.length === 1 && files[0].blob.size <= mostTyped) {
      const text = await plain(files[0].blob);
      if (text !== null) {
        this.text(text, files[0].name, files[0].blob);
        return;
      }
    }
    this.set(files);
  }

  /** Puts a text into the box. Of a file, the engine reads the file itself. */
  text(text, name = 'pasted text', blob) {
    this.#text.value = text;
    this.files = text ? [{ name, blob: blob ?? new Blob([text]), typed: true }] : [];
    this.#show();
    this.#changed('set');
  }

  /** Takes inputs that are not shown in the box. */
  set(files) {
    this.files = files;
    this.#text.value = '';
    this.#show();
    this.#changed('set');
  }

  clear() { this.text(''); }

  #show() {
    const inBox = this.files.length === 0 || this.typed;
    this.#text.hidden = !inBox;
    this.#large.hidden = inBox;
    fill(this.#large, h('ul', {}, this.files.map((f) => h('li', {}, f.name, ' ', h('span', { class: 'quiet' }, bytes(f.blob.size))))),
      h('p', { class: 'quiet' }, 'The lines are under “Lines” once they are analysed.'));
  }
}

/** The text of a small file as it can stand in the box, null if it is no UTF-8 or UTF-16. */
async function plain(blob) {
  const data = new Uint8Array(await blob.arrayBuffer());
  const encoding = data[0] === 0xff && data[1] === 0xfe ? 'utf-16le' : data[0] === 0xfe && data[1] === 0xff ? 'utf-16be' : 'utf-8';
  try {
    const text = new TextDecoder(encoding, { fatal: true }).decode(data);
    return text.includes('\0') ? null : text;
  } catch {
    return null;
  }
}
