// The user's own rules: edited here, checked at their place, asked of the log at once.

import { h, fill, plural } from './dom.js';

/** A rule file with a rule of another pack under a name of its own. Its tests stay behind:
 * the logs that they need are not here. */
function copied(id, source) {
  const lines = source.replace(`id: ${id}`, `id: my-${id}`).trimEnd().split('\n');
  const tests = lines.findIndex((l) => /^ {4}tests:/.test(l));
  if (tests >= 0) {
    let end = tests + 1;
    while (end < lines.length && (/^ {5}/.test(lines[end]) || lines[end].trim() === '')) end++;
    lines.splice(tests, end - tests);
  }
  return `format: kdlocks.rules/v1\nrules:\n${lines.join('\n')}\n`;
}

export class RulesView {
  files = []; // {name, text}
  noBuiltin = false;
  #box; #ask; #changed;
  #current = -1;
  #turn = 0;

  constructor(box, ask, changed) {
    this.#box = box;
    this.#ask = ask;
    this.#changed = changed;
    this.text = h('textarea', { id: 'rule-text', spellcheck: 'false', wrap: 'off', 'aria-label': 'Rule file (YAML)', 'aria-describedby': 'rule-mistakes', placeholder: 'A rule file in YAML stands here once one is opened or begun.', oninput: () => this.#edited() });
    this.list = h('ul', { id: 'rule-mistakes', class: 'mistakes', 'aria-live': 'polite' });
    this.results = h('div', { 'aria-live': 'polite' });
  }

  /** Takes rule files that were dropped. */
  async add(list) {
    for (const f of list) {
      const text = await f.text();
      const known = this.files.find((k) => k.name === f.name);
      if (known) known.text = text;
      else this.files.push({ name: f.name, text });
      this.#current = this.files.findIndex((k) => k.name === f.name);
    }
    this.#draw();
    this.#edited();
  }

  open() {
    this.#draw();
    this.#ask.prepare()?.catch(() => {}); // who needs it says so
  }

  #draw() {
    const pick = h('input', { type: 'file', multiple: true, accept: '.yaml,.yml', class: 'offscreen', onchange: (e) => this.add([...e.target.files]) });
    fill(this.#box, h('h2', {}, 'Own rules'),
      h('p', {}, 'Rules recognise known issues and name their article and fix. Yours are asked beside those that kdlocks ships with; they never change a verdict. Drop a YAML file, or begin with a rule that is there:'),
      h('div', { class: 'bar' }, h('label', { class: 'pick' }, 'Open rule files ', pick),
        h('button', { type: 'button', onclick: () => this.#new() }, 'New rule'),
        h('select', { 'aria-label': 'Begin with a rule that kdlocks ships with', id: 'builtin-rules', onchange: (e) => this.#from(e.target.value) }, h('option', { value: '' }, 'Copy a rule that kdlocks ships with …')),
        h('label', {}, h('input', { type: 'checkbox', checked: this.noBuiltin, onchange: (e) => { this.noBuiltin = e.target.checked; this.#changed(); } }), ' leave out those that kdlocks ships with')),
      this.files.length > 0 && h('div', { class: 'bar' }, h('select', { 'aria-label': 'Rule file', onchange: (e) => { this.#current = Number(e.target.value); this.#fillText(); } },
        this.files.map((f, i) => h('option', { value: String(i), selected: i === this.#current }, f.name))),
      h('button', { type: 'button', onclick: () => this.#remove() }, 'Remove')),
      this.text, this.list, this.results);
    this.#fillText();
    this.#listBuiltin();
  }

  async #listBuiltin() {
    const box = this.#box.querySelector('#builtin-rules');
    try {
      for (const r of await this.#ask.json('rules')) box.append(h('option', { value: r.id }, `${r.id}: ${r.title}`));
    } catch { /* the engine is not there yet */ }
  }

  #fillText() {
    this.text.value = this.files[this.#current]?.text ?? '';
    this.text.disabled = this.#current < 0;
  }

  #put(name, text) {
    let n = 1;
    let free = name;
    while (this.files.some((f) => f.name === free)) free = name.replace(/(\.yaml)$/, `-${++n}$1`);
    this.files.push({ name: free, text });
    this.#current = this.files.length - 1;
    this.#draw();
    this.#edited();
    this.text.focus();
    this.text.setSelectionRange(0, 0);
    this.text.scrollTop = 0;
  }

  async #new() {
    this.#put('my-rule.yaml', await this.#ask.text('skeleton', { id: 'my-rule' }));
  }

  async #from(id) {
    if (!id) return;
    const source = await this.#ask.text('rules', { id, source: true });
    this.#put(`my-${id}.yaml`, copied(id, source));
  }

  #remove() {
    this.files.splice(this.#current, 1);
    this.#current = Math.min(this.#current, this.files.length - 1);
    this.#draw();
    clearTimeout(this.timer);
    this.#check(); // nobody types: at once
  }

  #edited() {
    if (this.#current >= 0) this.files[this.#current].text = this.text.value;
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.#check(), 200);
  }

  async #check() {
    const turn = ++this.#turn;
    if (this.files.length === 0) {
      fill(this.list);
      fill(this.results);
      this.#changed();
      return;
    }
    try {
      const got = await this.#ask.json('lint', { rules: this.files, no_builtin: this.noBuiltin });
      if (turn !== this.#turn) return;
      this.mistakes(got.mistakes, got.draft);
      const failed = got.tests.filter((t) => !t.passed);
      fill(this.results, got.draft && h('p', { class: 'quiet' }, 'The rules are asked already. kdlocks rules lint wants what is listed, too.'), got.mistakes.length === 0 && h('p', { class: failed.length > 0 ? 'bad' : 'good' }, `${plural(got.rules, 'rule')}, ${plural(got.tests.length, 'test')}${failed.length > 0 ? `, ${failed.length} failed` : ': no mistake'}`),
        failed.map((t) => h('p', {}, `${t.file}:${t.line} ${t.rule}, test ${t.test}: ${t.error || `expected ${t.want}, got ${t.got}`}`)));
    } catch (e) {
      fill(this.results, h('p', { class: 'bad' }, e.message));
    }
    if (turn === this.#turn) this.#changed();
  }

  /** Shows mistakes; a click goes to their place. */
  mistakes(list, draft) {
    this.list.classList.toggle('draft', Boolean(draft));
    fill(this.list, (list ?? []).map((m) => h('li', {}, h('button', { type: 'button', class: 'place', onclick: () => this.#go(m) }, `${m.file}:${m.line}:${m.column ?? 1}`), ` ${m.text}`, (m.notes ?? []).map((n) => h('pre', {}, n)))));
    this.text.setAttribute('aria-invalid', String((list ?? []).length > 0 && !draft));
  }

  #go(m) {
    const i = this.files.findIndex((f) => f.name === m.file);
    if (i >= 0 && i !== this.#current) {
      this.#current = i;
      this.#draw();
    }
    const lines = this.text.value.split('\n');
    const at = lines.slice(0, m.line - 1).reduce((n, l) => n + l.length + 1, 0) + [...(lines[m.line - 1] ?? '')].slice(0, (m.column ?? 1) - 1).join('').length;
    this.text.focus();
    this.text.setSelectionRange(at, at + Math.max(1, (lines[m.line - 1] ?? '').length - ((m.column ?? 1) - 1)));
    this.text.scrollTop = Math.max(0, (m.line - 5) * 18);
  }
}
