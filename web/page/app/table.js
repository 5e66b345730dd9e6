// Tables of any length: the engine filters, sorts and cuts them.

import { h, fill, plural, visible } from './dom.js';

const page = 100;

export class Tables {
  #box; #engine; #show;
  #tables = [];
  #current;
  #state = new Map(); // table -> {filter, sort, down, offset}
  #turn = 0;

  constructor(box, engine, show) {
    this.#box = box;
    this.#engine = engine;
    this.#show = show;
    this.tabs = h('div', { class: 'tabs', role: 'tablist', 'aria-label': 'Lists' });
    this.filter = h('input', { type: 'search', placeholder: 'Filter: words that a row must hold', 'aria-label': 'Filter the list', spellcheck: 'false', oninput: () => this.#filtered() });
    this.body = h('div', { class: 'scroll', id: 'table-body', role: 'tabpanel', tabindex: '0', 'aria-label': 'List' });
    this.foot = h('div', { class: 'foot' });
  }

  show(tables) {
    this.#tables = tables;
    this.#state.clear();
    fill(this.body); // what it listed is of another analysis
    fill(this.foot);
    if (!tables.length) {
      fill(this.#box, h('p', { class: 'quiet' }, 'Nothing to list.'));
      return;
    }
    fill(this.tabs, tables.map((t) => h('button', {
      type: 'button', role: 'tab', id: `tab-${t.id}`, 'aria-controls': 'table-body', onclick: () => this.open(t.id), onkeydown: (e) => this.#arrow(e, t.id),
    }, t.count >= 0 ? `${t.name} (${t.count.toLocaleString('en')})` : t.name)));
    fill(this.#box, this.tabs, this.filter, this.body, this.foot);
    this.open(tables.some((t) => t.id === this.#current) ? this.#current : tables[0].id);
  }

  #arrow(e, id) {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[e.key];
    if (!step) return;
    const i = this.#tables.findIndex((t) => t.id === id);
    const next = this.#tables[(i + step + this.#tables.length) % this.#tables.length].id;
    this.open(next);
    document.getElementById(`tab-${next}`).focus();
  }

  open(id) {
    if (!this.#tables.some((t) => t.id === id)) return;
    this.#current = id;
    this.filter.value = this.#at().filter;
    for (const tab of this.tabs.children) {
      const chosen = tab.id === `tab-${id}`;
      tab.setAttribute('aria-selected', String(chosen));
      tab.tabIndex = chosen ? 0 : -1;
    }
    this.body.setAttribute('aria-labelledby', `tab-${id}`);
    return this.#load();
  }

  #at() {
    if (!this.#state.has(this.#current)) this.#state.set(this.#current, { filter: '', sort: 0, down: false, offset: 0 });
    return this.#state.get(this.#current);
  }

  #filtered() {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => {
      Object.assign(this.#at(), { filter: this.filter.value, offset: 0 });
      this.#load();
    }, 120);
  }

  async #load() {
    const turn = ++this.#turn;
    const table = this.#tables.find((t) => t.id === this.#current);
    const s = this.#at();
    try {
      const got = await this.#engine.rows({ table: table.id, filter: s.filter, sort: s.sort, down: s.down, offset: s.offset, count: page },
        ({ done, total }) => { if (turn === this.#turn) fill(this.foot, `listing ${done.toLocaleString('en')}${total ? ` of ${total.toLocaleString('en')}` : ''} …`); });
      if (turn === this.#turn) this.#draw(table, s, got);
    } catch (e) {
      if (turn === this.#turn && e.kind !== 'cancelled') fill(this.foot, e.message);
    }
  }

  #draw(table, s, got) {
    const sorted = (i) => (s.sort === i + 1 ? (s.down ? 'descending' : 'ascending') : 'none');
    fill(this.body, h('table', {},
      h('thead', {}, h('tr', {}, table.heads.map((name, i) => h('th', { scope: 'col', 'aria-sort': sorted(i) },
        h('button', { type: 'button', onclick: () => this.#sort(s, i + 1) }, name, h('span', { 'aria-hidden': 'true' }, { ascending: ' ▲', descending: ' ▼', none: '' }[sorted(i)])))))),
      h('tbody', {}, got.rows.map((row) => this.#row(table, row)))));
    const last = s.offset + got.rows.length;
    const go = (offset) => { s.offset = offset; this.#load(); this.body.scrollTop = 0; };
    fill(this.foot,
      h('span', { role: 'status' }, got.shown === 0 ? 'No row passes.' : `${(s.offset + 1).toLocaleString('en')}–${last.toLocaleString('en')} of ${plural(got.shown, 'row')}${got.shown < got.total ? `, filtered from ${got.total.toLocaleString('en')}` : ''}`),
      h('button', { type: 'button', disabled: s.offset === 0, onclick: () => go(Math.max(0, s.offset - page)) }, 'Back'),
      h('button', { type: 'button', disabled: last >= got.shown, onclick: () => go(last) }, 'Further'));
  }

  #sort(s, column) {
    if (s.sort === column && s.down) Object.assign(s, { sort: 0, down: false });
    else Object.assign(s, { down: s.sort === column, sort: column });
    s.offset = 0;
    this.#load();
  }

  #row(table, row) {
    return h('tr', { 'data-address': row.address }, row.cells.map((cell, i) => {
      const head = table.heads[i];
      if (i === 0 && row.address) return h('td', {}, h('button', { type: 'button', class: 'address', onclick: () => this.#show.address(row.address, row.session) }, visible(cell)));
      if (head === 'Line' && cell && cell !== '0') return h('td', {}, h('button', { type: 'button', class: 'place', onclick: () => this.#show.at(row.at ?? { line: Number(cell) }) }, cell));
      if (cell.includes('\n')) {
        const lines = cell.split('\n');
        return h('td', {}, lines.length <= 4 ? h('pre', {}, visible(cell))
          : h('details', {}, h('summary', {}, foldable(lines)), h('pre', {}, visible(cell))));
      }
      return h('td', {}, visible(cell));
    }));
  }
}

/** Names a stack by its first frames that are not the kernel's own waiting. */
function foldable(lines) {
  const own = lines.filter((l) => !/^(nt|ntoskrnl|ntkrnlmp|ntkrnlpa)!/.test(l));
  return `${visible((own.length > 0 ? own : lines).slice(0, 2).join(' ← '))} (${lines.length} frames)`;
}
