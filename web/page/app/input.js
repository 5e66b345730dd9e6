// What is analysed: a text in the box, or files. Large texts never enter the box.

import { $, h, fill, say, bytes } from './dom.js';
import { dropped } from './folder.js';

/** The box takes texts up to here; beyond, a text is kept as a file. */
const mostTyped = 2 << 20;
/** While somebody types, inputs up to here are analysed by themselves. */
export const mostAtOnce = 5 << 20;

export class Input extends EventTarget {
  files = []; // {name, blob}, of what stands in the box also {typed, text}
  #text = $('text');
  #large = $('large');

  constructor() {
    super();
    $('edit').addEventListener('input', (e) => { if (e.target === this.#text) this.#typed(e.inputType === 'insertFromPaste' ? 'pasted' : 'typed'); });
    addEventListener('paste', (e) => this.#pasted(e));
    $('file').addEventListener('change', (e) => {
      this.#given([...e.target.files]);
      e.target.value = '';
    });
    this.#dropping();
  }

  #changed(why) { this.dispatchEvent(new CustomEvent('change', { detail: why })); }

  /** Says what files came, from wherever: the view that is open knows what to do. */
  #given(list) { if (list.length > 0) this.dispatchEvent(new CustomEvent('given', { detail: list })); }

  #dropped(files) {
    if (files.length === 0) say('There is no file in what was dropped');
    this.#given(files);
  }

  get size() { return this.files.reduce((n, f) => n + f.blob.size, 0); }
  get typed() { return this.files.length === 1 && Boolean(this.files[0].typed); }

  #typed(why) {
    const text = this.#text.value;
    this.files = text ? [{ name: 'pasted text', blob: new Blob([text]), typed: true, text }] : [];
    this.#changed(why);
  }

  /** A paste beside any field is a new input; one that the box would choke on goes past it. */
  #pasted(e) {
    const inBox = e.target === this.#text;
    if (!inBox && isField(e.target)) return;
    const files = [...(e.clipboardData?.files ?? [])];
    const text = e.clipboardData?.getData('text/plain') ?? '';
    if (files.length > 0) this.#given(files);
    else if (text.length > mostTyped || (!inBox && text)) this.#given([new File([text], 'pasted text')]);
    else return;
    e.preventDefault();
  }

  #dropping() {
    const zone = $('drop');
    let depth = 0;
    const holds = (e, type) => [...(e.dataTransfer?.types ?? [])].includes(type);
    // A field takes a text by itself, where it was dropped.
    const ours = (e) => holds(e, 'Files') || (holds(e, 'text/plain') && !isField(e.target));
    const over = (by) => {
      depth = Math.max(0, depth + by);
      zone.hidden = depth === 0;
    };
    addEventListener('dragenter', (e) => { if (holds(e, 'Files') || holds(e, 'text/plain')) over(1); });
    addEventListener('dragleave', () => over(-1));
    addEventListener('dragover', (e) => { if (ours(e)) e.preventDefault(); });
    addEventListener('drop', (e) => {
      over(-depth);
      if (!ours(e)) return;
      e.preventDefault(); // else the browser would leave for the file
      const text = e.dataTransfer.getData('text/plain');
      if (holds(e, 'Files')) dropped(e.dataTransfer).then((files) => this.#dropped(files), (why) => say(`What was dropped cannot be read: ${why.message}`));
      else if (text) this.#given([new File([text], 'dropped text')]);
    });
  }

  /** Takes files as the case. One that is a small text goes into the box; the engine
   * reads the file itself. */
  async take(list) {
    const files = list.map((f) => ({ name: f.name, blob: f }));
    if (files.length === 1 && files[0].blob.size <= mostTyped) {
      const text = await plain(files[0].blob);
      if (text !== null) Object.assign(files[0], { typed: true, text });
    }
    this.set(files);
  }

  /** Puts a text into the box. */
  text(text, name = 'pasted text') {
    this.set(text ? [{ name, blob: new Blob([text]), typed: true, text }] : []);
  }

  /** Takes inputs. */
  set(files) {
    this.#show(files);
    this.#changed('set');
  }

  /** Takes other texts of the same inputs; what was in the box is not to be had back
   * from it. */
  async replace(files) {
    if (this.typed && files.length === 1) files = [{ ...files[0], typed: true, text: await files[0].blob.text() }];
    const fresh = this.#text.cloneNode();
    this.#text.replaceWith(fresh);
    this.#text = fresh;
    this.#show(files);
    this.#changed('replaced');
  }

  clear() { this.set([]); }

  #show(files) {
    this.files = files;
    const inBox = files.length === 0 || this.typed;
    this.#text.value = files[0]?.text ?? '';
    this.#text.hidden = !inBox;
    this.#large.hidden = inBox;
    fill(this.#large, h('ul', {}, files.map((f) => h('li', {}, f.name, ' ', h('span', { class: 'quiet' }, bytes(f.blob.size))))),
      h('p', { class: 'quiet' }, 'The lines are under “Lines” once they are analysed.'));
  }
}

const isField = (el) => Boolean(el.closest?.('input, textarea, select, dialog'));

/** The text of a small file as it can stand in the box, null if it is no UTF-8 or UTF-16,
 * or cannot be read: the engine says why. */
async function plain(blob) {
  try {
    const data = new Uint8Array(await blob.arrayBuffer());
    const encoding = data[0] === 0xff && data[1] === 0xfe ? 'utf-16le' : data[0] === 0xfe && data[1] === 0xff ? 'utf-16be' : 'utf-8';
    const text = new TextDecoder(encoding, { fatal: true }).decode(data);
    return text.includes('\0') ? null : text;
  } catch {
    return null;
  }
}
