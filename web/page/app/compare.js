// Captures of one machine, minutes apart, side by side.

import { h, fill, say, command, commands, plural, bytes, copy, save } from './dom.js';
import { asJSON, asText } from './engine.js';
import { task } from './progress.js';
import { redacted, notRedacted } from './redact.js';
import { badge, bare, sure, troubles } from './report.js';

export class CompareView {
  #box; #ask;
  #turn = 0;
  #aside; // the engine that compares
  #captures = [{ files: [] }, { files: [] }];
  #taken; // the files of the case, where they are the first capture
  #original; // the captures as they were before they were redacted

  constructor(box, ask) {
    this.#box = box;
    this.#ask = ask;
  }

  /** Shows the view; what is analysed becomes the first capture. */
  open(files) {
    const first = this.#captures[0];
    const same = first.files === this.#taken || this.#captures.every((c) => c.files.length === 0);
    if (same && first.files !== files) {
      this.#captures[0] = { files };
      fill(this.result ?? h('div')); // what stood there was of the input before
    }
    if (same) this.#taken = files;
    this.#draw();
  }

  /** Lets go of the case as a capture: it has pseudonyms now. */
  release(files) {
    if (!this.#taken || this.#captures[0].files !== this.#taken) return;
    this.#captures[0] = { files };
    this.#taken = files;
    this.#original = undefined;
    fill(this.#box);
    fill(this.result ?? h('div'));
  }

  /** Files that were dropped on the view, each a capture of its own. */
  add(list) {
    this.#original = undefined;
    for (const f of list) {
      const free = this.#captures.find((c) => c.files.length === 0);
      const files = [{ name: f.name, blob: f }];
      if (free) free.files = files;
      else this.#captures.push({ files });
    }
    this.#draw();
    this.#run();
  }

  #draw() {
    this.result ??= h('div', { class: 'compared' });
    this.status ??= h('p', { role: 'status', class: 'quiet' });
    fill(this.#box, h('h2', {}, 'Compare captures of one machine'),
      h('p', {}, 'Two captures minutes apart tell what is frozen, what moves and what was freed. Add them in any order: kdlocks sorts them by their times.'),
      h('div', { class: 'captures' }, this.#captures.map((c, i) => this.#capture(c, i))),
      h('div', { class: 'bar' }, h('button', { type: 'button', onclick: () => { this.#original = undefined; this.#captures.push({ files: [] }); this.#draw(); } }, 'Add a capture'),
        h('button', { type: 'button', class: 'main', onclick: () => this.#run() }, 'Compare'),
        h('button', { type: 'button', onclick: () => this.#redact() }, this.#original ? 'Show the original' : 'Redact')),
      this.status, this.result);
  }

  #capture(c, i) {
    const name = `Capture ${i + 1}`;
    const area = h('textarea', { spellcheck: 'false', wrap: 'off', 'aria-label': `${name}: debugger output`, placeholder: 'Paste one capture here, or open its files', oninput: (e) => {
      c.files = e.target.value ? [{ name: `capture ${i + 1}`, blob: new Blob([e.target.value]), typed: true }] : [];
      c.text = e.target.value;
      this.#original = undefined;
      clearTimeout(this.timer);
      this.timer = setTimeout(() => this.#run(), 400);
    } });
    const text = c.text ?? c.files[0]?.text;
    if (text !== undefined) area.value = text;
    else if (c.files[0]?.typed) c.files[0].blob.text().then((t) => { area.value = t; });
    const pick = h('input', { type: 'file', multiple: true, class: 'offscreen', onchange: (e) => {
      c.files = [...e.target.files].map((f) => ({ name: f.name, blob: f }));
      this.#refilled(c);
    } });
    const held = c.files.length > 0 && !c.files[0].typed;
    return h('section', { class: 'capture', 'aria-label': name }, h('h3', {}, name),
      h('div', { class: 'bar' }, h('label', { class: 'pick' }, 'Open files ', pick), c.files.length > 0 && h('button', { type: 'button', onclick: () => { c.files = []; this.#refilled(c); } }, 'Clear')),
      held ? h('ul', {}, c.files.map((f) => h('li', {}, f.name, ' ', h('span', { class: 'quiet' }, bytes(f.blob.size))))) : area);
  }

  #refilled(c) {
    c.text = this.#original = undefined;
    this.#draw();
    this.#run();
  }

  /** Puts pseudonyms into all captures, the same into each, or takes that back. */
  async #redact() {
    const before = this.#captures;
    const files = before.flatMap((c) => c.files);
    if (this.#original) {
      this.#captures = this.#original;
      this.#original = undefined;
    } else if (files.length > 0) {
      try {
        const got = await redacted(this.#ask, files);
        if (this.#captures.flatMap((c) => c.files).some((f, i) => f !== files[i])) return; // they are others by now
        if (got.files.length !== files.length) throw new Error('What is packed cannot be redacted here: unpack it first');
        this.#captures = before.map((c) => ({ files: c.files.map((f) => ({ ...got.files.shift(), typed: f.typed })) }));
        this.#original = before;
      } catch (e) {
        notRedacted(e);
        return;
      }
    }
    fill(this.result);
    this.#draw();
    this.#run();
  }

  /** Compares what there is; what was begun before ends. */
  async #run() {
    clearTimeout(this.timer);
    const turn = ++this.#turn;
    this.#aside?.cancel();
    const given = this.#captures.filter((c) => c.files.length > 0);
    if (given.length === 0) {
      fill(this.result);
      fill(this.status);
      return;
    }
    fill(this.status, 'comparing …');
    const args = { captures: given.map((c) => ({ name: c.files.length === 1 ? c.files[0].name : `${c.files[0].name} and ${c.files.length - 1} more`, inputs: c.files.length })), ...this.#ask.ruleArgs };
    const inputs = given.flatMap((c) => c.files.map((f) => ({ name: f.name, blob: f.blob })));
    try {
      const got = asJSON(await this.#compare(args, inputs));
      if (turn !== this.#turn) return;
      fill(this.status, given.length < 2 && 'Add a second capture.');
      if (given.length < 2 && !got.comparison) got.trouble = ''; // nothing to compare is no trouble yet
      this.#show(got, async (format) => this.#compare({ ...args, format }, inputs));
    } catch (e) {
      if (turn !== this.#turn) return;
      fill(this.result);
      fill(this.status, e.kind === 'cancelled' ? 'The comparison was stopped.' : e.message);
    }
  }

  #compare(args, inputs) {
    this.#aside ??= this.#ask.aside();
    return task((progress) => this.#aside.call('compare', args, inputs, progress), () => this.#aside.cancel());
  }

  /** What is compared is no part of the case: its engine goes when the view does. */
  close() {
    this.#turn++;
    this.#aside?.close();
    this.#aside = undefined;
  }

  async #take(format, write) {
    try {
      const data = await write(format);
      if (format === 'markdown') await copy(asText(data), 'Markdown');
      else save(`kdlocks-compare.${format}`, 'application/json', data);
    } catch (e) {
      say(e.message);
    }
  }

  #show(got, write) {
    const c = got.comparison;
    if (!c) {
      fill(this.result, troubles(got));
      return;
    }
    fill(this.result, troubles(got),
      h('section', { class: 'verdict', 'aria-label': 'Verdict' }, badge(c.verdict),
        h('p', { class: 'sentence' }, c.verdict.summary), c.next_commands?.length > 0 && h('div', { class: 'next' }, h('p', { class: 'label' }, 'Type next'), commands(c.next_commands))),
      h('div', { class: 'bar' }, h('button', { type: 'button', onclick: () => this.#take('markdown', write) }, 'Copy as Markdown'),
        h('button', { type: 'button', onclick: () => this.#take('json', write) }, 'Download JSON')),
      this.#captureTable(c),
      c.refused?.length > 0 && h('div', { class: 'advice' }, c.refused.map((x) => h('p', {}, `${x.name} was not compared with ${x.with}: ${x.why}`))),
      h('h3', {}, 'Findings'),
      c.findings.length === 0 && h('p', { class: 'quiet' }, 'No deadlock and no orphaned lock in any capture.'),
      c.findings.map((f) => h('article', { class: 'finding' }, h('h4', {}, h('span', { class: `badge ${f.stands_at_end ? 'bad' : 'good'}` }, f.fate), ` ${f.id} · ${f.confidence} · evidence grade ${f.grade}`), h('p', {}, f.summary), h('p', {}, f.why),
        f.motions?.length > 0 && h('ul', {}, f.motions.map((m) => h('li', {}, h('code', {}, bare(m.thread)), ` ${m.motion}: ${m.why}`))), h('p', {}, f.remedy), commands(f.next_commands ?? []))),
      c.known_issues?.length > 0 && [h('h3', {}, 'Known issues'), h('ul', {}, c.known_issues.map((k) => h('li', {}, k.title ?? k.id)))],
      c.roots.length > 0 && [h('h3', {}, 'Roots'), h('ul', {}, c.roots.map((r) => h('li', {}, h('strong', {}, r.name || bare(r.thread)), ` ${r.state}: ${r.why} `, h('span', { class: 'quiet' }, `blocked: ${r.blocked_threads.map((n) => n ?? '–').join(' → ')}`))))],
      c.locks.length > 0 && [h('h3', {}, 'Locks'), h('div', { class: 'scroll', tabindex: '0', role: 'region', 'aria-label': 'Locks' }, h('table', {}, h('thead', {}, h('tr', {}, ['ERESOURCE', 'State', 'Why', 'Waiters same', 'new', 'gone'].map((t) => h('th', { scope: 'col' }, t)))),
        h('tbody', {}, c.locks.slice(0, 500).map((l) => h('tr', {}, h('td', {}, h('code', {}, bare(l.address)), l.symbol && ` ${l.symbol}`), h('td', {}, l.state), h('td', {}, l.why), h('td', {}, String(l.waiters_same)), h('td', {}, String(l.waiters_new)), h('td', {}, String(l.waiters_gone)))))))],
      c.gaps?.length > 0 && [h('h3', {}, 'Missing facts'), h('ul', {}, c.gaps.map((g) => h('li', {}, `${g.what} — ${g.why} `, g.next_command && command(g.next_command))))],
      c.notes?.length > 0 && h('ul', {}, c.notes.map((n) => h('li', {}, n))));
  }

  #captureTable(c) {
    return h('div', { class: 'scroll', tabindex: '0', role: 'region', 'aria-label': 'Captures' }, h('table', {},
      h('thead', {}, h('tr', {}, ['#', 'Capture', 'After', 'Locks', 'Threads', 'By itself'].map((t) => h('th', { scope: 'col' }, t)))),
      h('tbody', {}, c.captures.map((k) => h('tr', {}, h('td', {}, String(k.capture)), h('td', {}, k.name), h('td', {}, k.after_ms === undefined ? '' : `${(k.after_ms / 1000).toLocaleString('en')} s`), h('td', {}, String(k.resources)), h('td', {}, plural(k.threads, 'thread')), h('td', {}, [k.verdict.kind, sure(k.verdict) && ` (${sure(k.verdict)})`]))))));
  }
}
