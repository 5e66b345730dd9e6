// The input as it stands, with line numbers and marks. Only the lines in view exist, so
// that millions of lines scroll as a hundred do.

import { h, visible } from './dom.js';

const lineHeight = 18;
// Browsers draw nothing beyond some 16 million pixels. Above this height the scroll bar
// stands for more than one pixel each.
const mostHeight = 8_000_000;
const block = 400; // lines asked for at once
const mostBlocks = 60;

export class Viewer {
  #box; #lines; #sizer; #engine;
  #input = -1;
  #count = 0;
  #top = 0; // the first line in view, counted from 0, with a fraction
  #blocks = new Map();
  #marks = new Map(); // line -> [{column, length, kind}]
  #rows = new Map(); // line -> what is drawn of it
  #active = 0;
  #ownScroll = -1;
  #drawing = false;

  /** Picked is called with the number of a line that somebody points out. */
  constructor(box, engine, picked) {
    this.#box = box;
    this.#engine = engine;
    this.picked = picked;
    this.#sizer = h('div', { class: 'sizer' });
    this.#lines = h('div', { class: 'lines' });
    box.append(this.#sizer, this.#lines);
    box.addEventListener('scroll', () => this.#scrolled(), { passive: true });
    box.addEventListener('wheel', (e) => this.#wheel(e), { passive: false });
    box.addEventListener('keydown', (e) => this.#key(e));
    box.addEventListener('click', (e) => {
      // The row that the press began on may have been drawn anew until its end.
      const row = e.target.closest('[data-line]') ?? document.elementFromPoint(e.clientX, e.clientY)?.closest('[data-line]');
      if (row && String(getSelection()).length === 0) this.pick(Number(row.dataset.line));
    });
    new ResizeObserver(() => this.#draw()).observe(box);
  }

  /** Shows an input of the engine by its index. */
  show(input, count) {
    this.#input = input;
    this.#count = count;
    this.#blocks.clear();
    this.#marks.clear();
    this.#active = 0;
    this.#top = 0;
    for (const row of this.#rows.values()) row.element.remove();
    this.#rows.clear();
    this.#sizer.style.height = `${Math.min(count * lineHeight, mostHeight)}px`;
    this.#box.scrollTop = 0;
    this.#draw();
  }

  get input() { return this.#input; }
  get count() { return this.#count; }
  get active() { return this.#active; }

  /** Marks pieces: [{line, column, length, end_line, kind}], columns counted from 1. */
  mark(marks) {
    this.#marks.clear();
    for (const m of marks) {
      for (let n = m.line; n <= Math.max(m.line, m.end_line ?? 0) && n < m.line + 100; n++) {
        const piece = n === m.line ? m : { kind: m.kind, column: 1, length: Infinity };
        this.#marks.set(n, [...(this.#marks.get(n) ?? []), piece]);
      }
    }
    this.#draw();
  }

  /** Brings a line, counted from 1, into the middle and makes it the one in question. */
  go(line) {
    this.#active = line;
    const visible = this.#visible();
    if (line - 1 < this.#top + 2 || line > this.#top + visible - 2) this.#scrollTo(line - 1 - visible / 3);
    this.#draw();
  }

  pick(line) {
    this.go(Math.min(Math.max(line, 1), this.#count));
    this.picked(this.#active);
  }

  #visible() { return Math.max(1, this.#box.clientHeight / lineHeight); }
  #scaled() { return this.#count * lineHeight > mostHeight; }

  #scrollTo(top) {
    const last = Math.max(0, this.#count - this.#visible());
    this.#top = Math.min(Math.max(top, 0), last);
    const span = this.#box.scrollHeight - this.#box.clientHeight;
    const at = this.#scaled() ? (last === 0 ? 0 : (this.#top / last) * span) : this.#top * lineHeight;
    this.#box.scrollTop = at;
    this.#ownScroll = this.#box.scrollTop;
    this.#draw();
  }

  #scrolled() {
    if (Math.abs(this.#box.scrollTop - this.#ownScroll) < 1) {
      this.#draw();
      return;
    }
    this.#ownScroll = -1;
    const span = this.#box.scrollHeight - this.#box.clientHeight;
    const last = Math.max(0, this.#count - this.#visible());
    this.#top = this.#scaled() ? (span <= 0 ? 0 : (this.#box.scrollTop / span) * last) : this.#box.scrollTop / lineHeight;
    this.#draw();
  }

  #wheel(e) {
    if (!this.#scaled() || e.ctrlKey || e.deltaY === 0) return; // the browser does it right
    e.preventDefault();
    const unit = [1 / lineHeight, 1, this.#visible()][e.deltaMode];
    this.#scrollTo(this.#top + e.deltaY * unit);
  }

  #key(e) {
    if (e.altKey || e.ctrlKey || e.metaKey) return;
    const page = Math.floor(this.#visible()) - 1;
    const move = { ArrowDown: 1, ArrowUp: -1, PageDown: page, PageUp: -page }[e.key];
    if (move) this.go(Math.min(Math.max((this.#active || Math.floor(this.#top) + 1) + move, 1), this.#count));
    else if (e.key === 'Home') this.go(1);
    else if (e.key === 'End') this.go(this.#count);
    else if (e.key === 'Enter' && this.#active) this.picked(this.#active);
    else return;
    e.preventDefault();
  }

  #draw() {
    if (this.#drawing) return;
    this.#drawing = true;
    requestAnimationFrame(() => {
      this.#drawing = false;
      this.#drawNow();
    });
  }

  /** Rows that stay as they are stay in place: what is selected in them stays selected. */
  #drawNow() {
    const first = Math.max(0, Math.floor(this.#top));
    const last = Math.min(this.#count, Math.ceil(this.#top + this.#visible()) + 1);
    const old = this.#rows;
    this.#rows = new Map();
    for (let n = first + 1; n <= last; n++) this.#rows.set(n, this.#row(n, old.get(n)));
    const offset = this.#scaled() ? this.#box.scrollTop - (this.#top - first) * lineHeight : first * lineHeight;
    this.#lines.style.transform = `translateY(${offset}px)`;
    this.#lines.style.setProperty('--digits', String(this.#count).length);
    for (const [n, row] of old) if (this.#rows.get(n) !== row) row.element.remove();
    let before = null;
    for (const { element } of [...this.#rows.values()].reverse()) {
      if (element.parentNode !== this.#lines || element.nextSibling !== before) this.#lines.insertBefore(element, before);
      before = element;
    }
    if (this.#rows.has(this.#active)) this.#box.setAttribute('aria-activedescendant', `line-${this.#active}`);
    else this.#box.removeAttribute('aria-activedescendant');
  }

  #row(n, old) {
    const text = this.#text(n);
    const marks = this.#marks.get(n);
    const active = n === this.#active;
    if (old && old.text === text && old.marks === marks && old.active === active) return old;
    const kinds = ['line', active && 'active', text === undefined && 'loading', marks?.length > 0 && 'marked'];
    const element = h('div', { class: kinds.filter(Boolean).join(' '), 'data-line': n, id: `line-${n}`, role: 'option', 'aria-selected': String(active), 'aria-posinset': n, 'aria-setsize': this.#count },
      h('span', { class: 'number' }, String(n)),
      h('span', { class: 'text' }, text === undefined ? '…' : marks ? pieces(text, marks) : text || ' '));
    return { element, text, marks, active };
  }

  #text(n) {
    const b = Math.floor((n - 1) / block);
    const have = this.#blocks.get(b);
    if (have) return have.lines?.[(n - 1) % block];
    const entry = {};
    this.#blocks.set(b, entry);
    if (this.#blocks.size > mostBlocks) this.#blocks.delete(this.#blocks.keys().next().value);
    const input = this.#input;
    this.#engine.lines(input, b * block + 1, block).then((lines) => {
      if (input !== this.#input) return;
      entry.lines = lines.map(visible);
      this.#draw();
    }, () => this.#blocks.delete(b));
    return undefined;
  }
}

/** Cuts a line at its marks; what was chosen lies above the rest. Columns count
 * characters, not UTF-16 units. */
function pieces(text, marks) {
  const chars = [...text];
  const kind = new Array(chars.length).fill('');
  for (const m of marks) {
    const from = Math.max((m.column || 1) - 1, 0);
    const to = Math.min(chars.length, from + (m.length ?? Infinity));
    for (let i = from; i < to; i++) if (kind[i] !== 'chosen') kind[i] = m.kind || 'evidence';
  }
  const out = [];
  for (let i = 0; i < chars.length;) {
    let k = i;
    while (k < chars.length && kind[k] === kind[i]) k++;
    const piece = chars.slice(i, k).join('');
    out.push(kind[i] ? h('mark', { class: `m-${kind[i]}` }, piece) : piece);
    i = k;
  }
  return out.length > 0 ? out : ' ';
}
