// The input, as text to edit and line by line: which input, what was read from a line,
// and where a text stands.

import { $, h, fill, say } from './dom.js';
import { Viewer } from './viewer.js';
import * as report from './report.js';

/** Brings a part of the page into view where it is not. */
export function reveal(el) { el.scrollIntoView({ block: 'nearest' }); }

export class Lines {
  #ask; #show; #viewer;
  #inputs = [];
  #hit; // what was found last

  constructor(ask, show) {
    this.#ask = ask;
    this.#show = show;
    this.#viewer = new Viewer($('viewer'), ask, (n) => this.#about(n));
    $('which').addEventListener('change', (e) => this.open(Number(e.target.value)));
    $('find').addEventListener('keydown', (e) => { if (e.key === 'Enter') this.find(e.shiftKey); });
    for (const [name, other] of [['edit', 'read'], ['read', 'edit']]) {
      $(`tab-${name}`).addEventListener('click', () => this.tab(name));
      $(`tab-${name}`).addEventListener('keydown', (e) => {
        if (e.key !== 'ArrowLeft' && e.key !== 'ArrowRight' || $('tab-read').disabled) return;
        this.tab(other);
        $(`tab-${other}`).focus();
      });
    }
  }

  /** Takes the inputs of an analysis; none lets go of all. */
  set(inputs) {
    this.#inputs = inputs;
    this.#hit = undefined;
    fill($('which'), inputs.map((i, n) => h('option', { value: String(n) }, i.name)));
    $('which').hidden = inputs.length < 2;
    $('tab-read').disabled = $('find').disabled = inputs.length === 0;
    fill($('line'));
    if (inputs.length > 0) {
      this.open(0);
      return;
    }
    $('find').value = '';
    this.#viewer.show(-1, 0);
    this.tab('edit');
  }

  tab(name) {
    for (const t of ['edit', 'read']) {
      $(t).hidden = t !== name;
      $(`tab-${t}`).setAttribute('aria-selected', String(t === name));
      $(`tab-${t}`).tabIndex = t === name ? 0 : -1;
    }
  }

  open(i) {
    $('which').value = String(i);
    this.#viewer.show(i, this.#inputs[i]?.lines ?? 0);
  }

  get input() { return this.#viewer.input; }

  /** The index of an input by its name. */
  of(name) { return Math.max(0, this.#inputs.findIndex((i) => i.name === name)); }

  /** Shows a line of an input and what was read from it. */
  pick(input, n) {
    this.#turn(input);
    this.#viewer.pick(n);
    reveal($('viewer'));
  }

  /** Marks the pieces that are of one input. */
  mark(input, pieces) {
    if (input === this.input) this.#viewer.mark(pieces.filter((p) => this.of(p.input) === input));
  }

  /** Marks pieces and goes to the first of them. */
  go(pieces) {
    const input = this.of(pieces[0].input);
    this.#turn(input);
    this.mark(input, pieces);
    this.#viewer.go(pieces[0].line);
    reveal($('viewer'));
  }

  #turn(input) {
    this.tab('read');
    if (input >= 0 && input !== this.input) this.open(input);
  }

  async #about(n) {
    const input = this.input;
    let about;
    try {
      about = await this.#ask.json('line', { input, first: n });
    } catch (e) {
      about = { trouble: e.message };
    }
    if (input !== this.input || n !== this.#viewer.active) return;
    if (about.trouble) fill($('line'), about.trouble);
    else report.line($('line'), input, n, about, this.#show);
  }

  /** Goes to the next place of the text in the field, or back to the one before. */
  async find(back) {
    const text = $('find').value;
    if (!text || $('find').disabled) return;
    this.tab('read');
    const at = this.#hit && this.#hit.input === this.input && this.#hit.line === this.#viewer.active
      ? { line: this.#hit.line, column: this.#hit.column } : { line: this.#viewer.active, column: 0 };
    try {
      const got = await this.#ask.json('find', { input: this.input, ...at, text, back });
      if (got.line === 0) {
        say(`“${text}” is not in the input`);
        return;
      }
      this.#turn(got.input);
      this.#hit = got;
      this.#viewer.mark([{ ...got, kind: 'hit' }]);
      this.#viewer.go(got.line);
      say(`${this.#inputs.length > 1 ? `${this.#inputs[got.input].name}, line` : 'Line'} ${got.line}, column ${got.column}`);
    } catch (e) {
      say(e.message);
    }
  }
}
