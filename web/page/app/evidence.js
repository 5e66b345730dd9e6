// From findings, threads and locks to the very text of the input, and back.

import { $, h, fill } from './dom.js';
import { reveal } from './lines.js';
import { select } from './picture.js';
import * as report from './report.js';

export class Evidence {
  #ask; #show; #lines;
  #report;
  #reach; // makes sure that a finding is shown
  #finding = -1;
  #piece = -1; // of its evidence

  constructor(ask, show, lines) {
    this.#ask = ask;
    this.#show = show;
    this.#lines = lines;
  }

  /** Takes the report that is shown. */
  set(r, reach) {
    this.#report = r;
    this.#reach = reach;
    this.#finding = this.#piece = -1;
    $('s-detail').hidden = true;
    fill($('detail'));
    if (r?.findings.length > 0) this.#lines.mark(this.#lines.input, this.#pieces(0));
  }

  #pieces(i, chosen) {
    return (this.#report.findings[i].evidence ?? []).map((e, k) => ({ ...e, kind: k === chosen ? 'chosen' : 'evidence' }));
  }

  /** Marks all evidence of a finding and goes to the first. */
  marks(i) {
    this.#finding = i;
    const pieces = this.#pieces(i);
    if (pieces.length > 0) this.#lines.go(pieces);
  }

  /** Goes to one piece of evidence. */
  piece(i, k) {
    [this.#finding, this.#piece] = [i, k];
    this.#reach?.(i);
    const pieces = this.#pieces(i, k);
    const input = this.#lines.of(pieces[k].input);
    this.#lines.pick(input, pieces[k].line);
    this.#lines.mark(input, pieces);
    for (const b of document.querySelectorAll('.place.chosen')) b.classList.remove('chosen');
    document.querySelector(`[data-evidence="${i + 1}.${k}"]`)?.classList.add('chosen');
  }

  /** Goes to a finding of the report. */
  finding(i) {
    this.#reach?.(i);
    const el = $(`f${i + 1}`);
    if (!el) return;
    this.#finding = i;
    el.scrollIntoView({ block: 'start', behavior: matchMedia('(prefers-reduced-motion: reduce)').matches ? 'auto' : 'smooth' });
    el.focus({ preventScroll: true });
    this.#lines.mark(this.#lines.input, this.#pieces(i));
  }

  /** The next finding, or the one before. */
  step(by) {
    const n = this.#report?.findings.length ?? 0;
    if (n === 0) return;
    this.finding(Math.min(Math.max(this.#finding + by, 0), n - 1));
    this.#piece = -1;
  }

  /** The next piece of evidence of the finding in question. */
  stepPiece() {
    const i = Math.max(this.#finding, 0);
    const n = this.#report?.findings[i]?.evidence?.length ?? 0;
    if (n > 0) this.piece(i, (this.#piece + 1) % n);
  }

  at(place) { this.#lines.pick(place.input === undefined ? this.#lines.input : this.#lines.of(place.input), place.line); }

  /** Shows what there is about a thread or lock: its evidence, its stack, its place. */
  async address(a, session = 0) {
    const r = this.#report;
    const full = a.startsWith('0x') ? a : `0x${a.replace(/^0+/, '')}`;
    const digits = report.bare(full);
    select($('pictures'), new Set([digits]));
    const pieces = r.findings.flatMap((f) => f.evidence ?? []).filter((e) => e.address === full || e.text.replaceAll('`', '').includes(digits));
    if (pieces.length > 0) this.#lines.go(pieces.map((e, i) => ({ ...e, kind: i === 0 ? 'chosen' : 'evidence' })));
    const s = session || r.findings.find((f) => f.threads?.includes(full) || f.resources?.includes(full))?.session || (r.sessions ? 1 : 0);
    const [what, thread] = await Promise.all([this.#ask.json('resolve', { addresses: [full] }), this.#ask.json('thread', { session: s, address: full })]);
    if (r !== this.#report) return;
    $('s-detail').hidden = false;
    fill($('detail'), h('ul', {}, (what ?? []).map((x) => h('li', {}, report.bare(x.address), ` ${x.text} `, x.at && h('button', { type: 'button', class: 'place', onclick: () => this.at(x.at) }, `line ${x.at.line}`)))), thread && report.thread(thread, this.#show));
    reveal($('s-detail'));
    if (pieces.length === 0 && what?.[0]?.at) this.at(what[0].at);
  }
}
