// The report: verdict first, then what it rests on.

import { h, fill, commands, plural } from './dom.js';

/** An address as the debugger prints it. */
export const bare = (a) => {
  const digits = (a ?? '').replace(/^0x/, '');
  return digits.length > 8 ? digits.padStart(16, '0') : digits.padStart(8, '0');
};

/** How a verdict is coloured. */
const kinds = {
  'deadlock': 'bad', 'stall': 'bad', 'orphaned-lock': 'bad', 'suspected-deadlock': 'warn', 'undecided': 'warn',
  'blocked-chain': 'warn', 'contention': 'warn', 'no-deadlock': 'good',
  'memory-exhausted': 'bad', 'memory-leak': 'warn', 'no-leak': 'good',
};

/** How sure a verdict is, nothing where none was reached. */
export const sure = (v) => (v.kind === 'undecided' ? '' : v.confidence);

/** The words of a verdict, and how sure it is. */
export const badge = (v) => h('p', { class: `kind ${kinds[v.kind] ?? 'plain'}` }, v.kind.toUpperCase().replaceAll('-', ' '), sure(v) && h('span', { class: 'sure' }, ` (${sure(v)})`));

const severities = { critical: 'bad', high: 'bad', medium: 'warn', low: 'plain', info: 'plain' };

/** Names threads of a report. */
class People {
  #threads = new Map();

  constructor(report) {
    for (const t of report.threads ?? []) {
      const k = `${t.session ?? 0}/${t.address}`;
      if (!this.#threads.has(k)) this.#threads.set(k, t);
    }
  }

  name(session, address) {
    const t = this.#threads.get(`${session ?? 0}/${address}`);
    const who = [t?.process?.image, t?.cid].filter(Boolean).join(', ');
    return who ? `${bare(address)} (${who})` : bare(address);
  }

  get(session, address) { return this.#threads.get(`${session ?? 0}/${address}`); }
}

/** What the others wait for in the end: the thread, the cycle or the lock. */
function root(f, people) {
  const last = f.chain?.at(-1);
  if (f.cycle?.length > 1) return `a cycle of ${plural(f.cycle.length, 'thread')}`;
  if (f.cycle?.length === 1) return `thread ${people.name(f.session, f.cycle[0].thread)}`;
  if (last?.held_by) return `thread ${people.name(f.session, last.held_by)}`;
  if (last?.waits_for) return `${last.kind} ${bare(last.waits_for)}`;
  if (f.threads?.length > 0) return `thread ${people.name(f.session, f.threads[0])}`;
  if (f.resources?.length > 0) return `ERESOURCE ${bare(f.resources[0])}`;
  return '';
}

/** The headline: what is wrong, how sure that is, what stands at its root, what to type. */
export function verdict(box, analysis, show) {
  const r = analysis.report;
  if (!r) {
    fill(box, h('p', { class: 'kind warn' }, 'NOTHING RECOGNISED'), analysis.trouble && h('p', { class: 'trouble' }, analysis.trouble));
    return 'Nothing recognised.';
  }
  const v = r.verdict;
  const people = new People(r);
  const first = r.findings.find((f) => !f.rule);
  const from = first && root(first, people);
  const issues = r.findings.map((f, i) => [f, i]).filter(([f]) => f.rule);
  fill(box,
    badge(v),
    h('p', { class: 'sentence' }, v.summary),
    h('dl', { class: 'facts' },
      from && [h('dt', {}, 'Root'), h('dd', {}, from)],
      first?.blocked_threads > 0 && [h('dt', {}, 'Blocks'), h('dd', {}, plural(first.blocked_threads, 'other thread'))],
      first?.grade && [h('dt', {}, 'Evidence'), h('dd', {}, `grade ${first.grade}`)],
      first?.suspect && [h('dt', {}, 'Suspect'), h('dd', {}, first.suspect.module)],
      r.target?.build && [h('dt', {}, 'Target'), h('dd', {}, [r.target.arch, `build ${r.target.build}`, r.target.bugcheck && `stop code ${r.target.bugcheck.code} ${r.target.bugcheck.name ?? ''}`].filter(Boolean).join(', '))]),
    issues.map(([f, i]) => h('p', { class: 'issue' }, h('a', { href: `#f${i + 1}`, onclick: (e) => { e.preventDefault(); show.finding(i); } }, `Known issue (${f.confidence}): ${f.title}`), f.references?.[0] && ` — ${f.references[0].split(':')[0]}`)),
    analysis.next_commands.length > 0 && h('div', { class: 'next' }, h('p', { class: 'label' }, 'Type next'), commands(analysis.next_commands.slice(0, 4))));
  return `${v.kind.replaceAll('-', ' ')}${sure(v) && `, ${sure(v)}`}. ${v.summary}`;
}

/** What could not be read, what is wrong in the user's own rules, what was left out. */
export const troubles = (got) => [
  got.trouble && h('div', { class: 'advice bad' }, h('p', { class: 'trouble' }, got.trouble)),
  got.rule_mistakes?.length > 0 && h('div', { class: 'advice bad' }, h('p', {}, `Your own rules have ${plural(got.rule_mistakes.length, 'mistake')} and were not asked: “Own rules” shows where.`)),
  got.left_out?.length > 0 && h('div', { class: 'advice' }, got.left_out.map((t) => h('p', {}, t))),
];

/** What the input is like, where that is not what an analysis needs. */
export function advice(box, analysis) {
  fill(box, troubles(analysis.report ? analysis : { ...analysis, trouble: '' }),
    analysis.advice.map((a) => h('div', { class: 'advice', 'data-advice': a.id }, h('p', {}, a.text), commands(a.commands ?? []))));
}

const paragraph = (title, text) => text && h('div', { class: 'said' }, h('h4', {}, title), h('p', {}, text));

function steps(f, people, show) {
  const list = f.cycle ?? f.chain;
  if (!list?.length) return null;
  return h('div', { class: 'said' }, h('h4', {}, f.cycle ? 'Cycle' : 'Wait chain'), h('ol', { class: 'steps' }, list.map((s) => h('li', {},
    s.thread ? ['thread ', address(s.thread, f.session, people, show)] : 'a waiter that is not listed',
    ' waits for ', s.kind, s.waits_for && [' ', address(s.waits_for, f.session, null, show)], s.symbol && ` (${s.symbol})`,
    s.held_by && [s.queued ? ', queued behind ' : s.guess ? ', perhaps ended by ' : ', held by ', address(s.held_by, f.session, people, show)],
    h('span', { class: 'grade', title: 'Grade of the evidence' }, ` ${s.grade}`)))));
}

const address = (a, session, people, show) => h('button', { type: 'button', class: 'address', onclick: () => show.address(a, session) }, people ? people.name(session, a) : bare(a));

function evidence(f, number, show) {
  if (!f.evidence?.length) return null;
  return h('div', { class: 'said' }, h('h4', {}, 'Evidence'), h('ol', { class: 'evidence' }, f.evidence.map((e, i) => h('li', {},
    h('button', { type: 'button', class: 'place', 'data-evidence': `${number}.${i}`, onclick: () => show.evidence(number - 1, i) },
      h('span', { class: 'line-number' }, `${e.input.split(/[/\\]/).at(-1)}:${e.line}`), ' ', h('span', { class: 'why' }, e.why)),
    h('code', { class: 'quote' }, e.text)))));
}

function clauses(rule) {
  if (!rule?.clauses?.length) return null;
  return h('details', {}, h('summary', {}, `Clauses of ${rule.id} (${rule.file}:${rule.line})`),
    h('ul', { class: 'clauses' }, rule.clauses.map((c) => h('li', { class: c.truth },
      h('span', { class: 'truth' }, c.truth), ` ${c.role}: ${c.text}`, c.missing?.map((m) => [h('br'), m.what, m.next_command && commands([m.next_command])])))));
}

function stackGroups(f) {
  if (!f.stack_groups?.length) return null;
  return h('details', {}, h('summary', {}, `Stacks of the threads behind it (${plural(f.stack_groups.length, 'group')})`),
    f.stack_groups.map((g) => h('div', { class: 'group' }, h('p', {}, plural(g.count, 'thread')), h('pre', { tabindex: '0', role: 'region', 'aria-label': 'Stack' }, g.frames.join('\n')))));
}

const findingsAtOnce = 40;

/** The findings, the weightiest first, some at a time. Returns what makes sure that one,
 * by its index, is there. */
export function findings(box, report, show) {
  const people = new People(report);
  const all = report.findings;
  const list = h('div');
  const more = h('button', { type: 'button', onclick: () => draw(list.children.length + findingsAtOnce) });
  const draw = (to) => {
    for (let i = list.children.length; i < Math.min(to, all.length); i++) list.append(one(all[i], i, people, show));
    const left = all.length - list.children.length;
    more.hidden = left === 0;
    more.textContent = `Show ${Math.min(left, findingsAtOnce)} more of ${plural(left, 'finding')}`;
  };
  fill(box, all.length === 0 && h('p', { class: 'quiet' }, 'No finding.'), list, more);
  draw(findingsAtOnce);
  return (i) => { if (i >= list.children.length) draw(i + 1); };
}

function one(f, i, people, show) {
  return h('article', { class: 'finding', id: `f${i + 1}`, tabindex: '-1', 'data-finding': String(i) },
    h('h3', {}, h('span', { class: `badge ${severities[f.severity] ?? 'plain'}` }, f.severity), ` ${f.title}`),
    h('p', { class: 'meta' }, h('button', { type: 'button', class: 'id', onclick: () => show.explain(f.id) }, f.id), ` · ${f.confidence}`, f.grade && ` · evidence grade ${f.grade}`, f.session && ` · session ${f.session}`,
      h('button', { type: 'button', class: 'small', onclick: () => show.marks(i) }, 'Mark in the input')),
    h('p', { class: 'summary' }, f.summary),
    steps(f, people, show),
    f.suspect && paragraph('Suspect', `${f.suspect.module}: ${f.suspect.reason}`),
    paragraph('Explanation', f.explanation),
    evidence(f, i + 1, show),
    paragraph('What would disprove it', f.disproof),
    paragraph('Remedy', f.remedy),
    f.next_commands?.length > 0 && h('div', { class: 'said' }, h('h4', {}, 'Type next'), commands(f.next_commands)),
    f.bystanders?.length > 0 && h('details', {}, h('summary', {}, `Blocked behind it: ${plural(f.blocked_threads, 'thread')}`),
      h('p', { class: 'threads' }, f.bystanders.map((t) => [address(t, f.session, people, show), ' ']), f.blocked_threads > f.bystanders.length && `and ${f.blocked_threads - f.bystanders.length} more`)),
    stackGroups(f),
    clauses(f.rule),
    f.references?.length > 0 && h('div', { class: 'said' }, h('h4', {}, 'References'), h('ul', {}, f.references.map((t) => h('li', {}, t)))));
}

/** What rules say beside the findings. */
export function rules(box, report) {
  const r = report.rules;
  if (!r) {
    fill(box, h('p', { class: 'quiet' }, 'No rules were asked.'));
    return;
  }
  const list = (title, items) => items?.length > 0 && h('details', { open: items.length < 4 }, h('summary', {}, `${title} (${items.length})`),
    items.map((m) => h('div', { class: 'rule' }, h('p', {}, h('strong', {}, m.id), ` ${m.title}`, m.because && ` — because ${m.because}`), commands(m.next_commands ?? []), clauses(m))));
  fill(box,
    h('p', { class: 'quiet' }, `${plural(r.asked, 'rule')} asked; ${plural(report.findings.filter((f) => f.rule).length, 'known issue')} found.`),
    list('Could not be checked', r.could_not_check), list('Excluded', r.excluded),
    r.suppressed?.length > 0 && h('ul', {}, r.suppressed.map((t) => h('li', {}, t))),
    r.need_output_of?.length > 0 && h('details', {}, h('summary', {}, 'Rules that nothing in the input is about'),
      h('ul', { class: 'needs' }, r.need_output_of.map((n) => h('li', {}, `${plural(n.rules, 'rule')} ${n.rules === 1 ? 'asks' : 'ask'} for `, commands([n.command]))))));
}

/** How much was understood, and what was not looked at. */
export function coverage(box, report, show) {
  const rows = [];
  for (const [i, input] of report.inputs.entries()) {
    const many = input.sections.length > 60;
    for (const s of input.sections.slice(0, 60)) {
      rows.push(h('tr', {}, h('td', {}, h('button', { type: 'button', class: 'place', onclick: () => show.line(i, s.line) }, s.command || '(no prompt)')),
        h('td', {}, `${s.line}–${s.end_line}`), h('td', {}, String(s.lines_claimed)), h('td', {}, String(s.lines_noise)), h('td', {}, String(s.lines_not_understood))));
    }
    if (many) rows.push(h('tr', {}, h('td', { colspan: '5' }, `… and ${input.sections.length - 60} more commands`)));
    const o = input.outside_sections;
    if (o.lines_claimed + o.lines_noise + o.lines_not_understood > 0) {
      rows.push(h('tr', {}, h('td', {}, '(outside any command)'), h('td', {}), h('td', {}, String(o.lines_claimed)), h('td', {}, String(o.lines_noise)), h('td', {}, String(o.lines_not_understood))));
    }
  }
  const lines = report.inputs.reduce((n, i) => n + i.lines, 0);
  const read = report.inputs.reduce((n, i) => n + i.lines_understood, 0);
  const notRead = report.inputs.flatMap((input, i) => (input.not_understood ?? []).map((l) => h('li', {}, h('button', { type: 'button', class: 'place', onclick: () => show.line(i, l.line) }, `line ${l.line}`), ' ', h('code', {}, l.text.slice(0, 200)))));
  const checks = report.self_check ?? [];
  fill(box,
    h('p', {}, `${read.toLocaleString('en')} of ${plural(lines, 'line')} understood.`),
    h('div', { class: 'scroll', tabindex: '0', role: 'region', 'aria-label': 'Coverage by command' }, h('table', {}, h('thead', {}, h('tr', {}, ['Command', 'Lines', 'Claimed', 'Noise', 'Not understood'].map((t) => h('th', { scope: 'col' }, t)))), h('tbody', {}, rows))),
    notRead.length > 0 && h('details', {}, h('summary', {}, `Lines not understood (${notRead.length}${notRead.length < lines - read ? ' of ' + (lines - read) : ''})`), h('ul', { class: 'unread' }, notRead)),
    report.not_looked_at?.length > 0 && [h('h3', {}, 'Not looked at'), h('ul', { class: 'unseen' }, report.not_looked_at.map((t) => h('li', {}, t)))],
    report.gaps?.length > 0 && [h('h3', {}, 'Missing facts'), h('ul', {}, report.gaps.map((g) => h('li', {}, `${g.what} — ${g.why} `, g.next_command && commands([g.next_command]))))],
    report.notes?.length > 0 && h('details', { open: report.notes.length < 6 }, h('summary', {}, `Notes (${report.notes.length})`), h('ul', {}, report.notes.slice(0, 500).map((n) => h('li', {}, n.at && [h('button', { type: 'button', class: 'place', onclick: () => show.line(report.inputs.findIndex((i) => i.name === n.at.input), n.at.line) }, `line ${n.at.line}`), ' '], n.text)))),
    h('details', {}, h('summary', {}, `What the input says of itself (${checks.filter((c) => c.result === 'failed').length} of ${checks.length} checks failed)`),
      h('ul', { class: 'checks' }, checks.map((c) => h('li', { class: c.result }, h('span', { class: 'truth' }, c.result), ` ${c.title}`, c.why && ` — ${c.why}`,
        c.lowers?.map((l) => [h('br'), `finding ${l.finding}: evidence grade ${l.from_grade} becomes ${l.to_grade}, ${l.from_confidence} becomes ${l.to_confidence}`]))))));
}

/** One thread with its stack. */
export function thread(t, show) {
  if (!t) return h('p', { class: 'quiet' }, 'The input does not show this thread.');
  const facts = [['State', t.state], ['Waits', [t.wait_reason, t.wait_mode].filter(Boolean).join(' ')], ['CID', t.cid], ['Process', t.process?.image],
    ['For', t.wait_ms !== undefined && `${(t.wait_ms / 1000).toLocaleString('en')} s`], ['Start', t.start_address],
    ['Objects', t.wait_objects?.map((o) => `${bare(o.address)} ${o.kind}`).join(', ')], ['Stack', t.stack?.base && `${bare(t.stack.limit)}..${bare(t.stack.base)}`]];
  return h('div', { class: 'thread' }, h('h3', {}, `Thread ${bare(t.address)}`),
    h('dl', { class: 'facts' }, facts.filter(([, v]) => v).map(([k, v]) => [h('dt', {}, k), h('dd', {}, v)])),
    t.at && h('p', {}, h('button', { type: 'button', class: 'place', onclick: () => show.at(t.at) }, `line ${t.at.line}`)),
    t.frames.length > 0 && h('div', { class: 'scroll', tabindex: '0', role: 'region', 'aria-label': 'Stack' }, h('table', { class: 'frames' },
      h('thead', {}, h('tr', {}, ['#', 'Child-SP', 'Call site'].map((x) => h('th', { scope: 'col' }, x)))),
      h('tbody', {}, t.frames.map((f) => h('tr', { class: /^(nt|ntoskrnl|ntkrnl\w*)$/.test(f.module ?? '') ? 'plumbing' : '' }, h('td', {}, String(f.index)), h('td', {}, f.child_sp ? bare(f.child_sp) : ''),
        h('td', {}, f.function ? `${f.module ? `${f.module}!` : ''}${f.function}${f.offset !== undefined ? `+0x${f.offset.toString(16)}` : ''}` : f.symbol ?? f.module ?? '')))))));
}

/** What was read from a line. */
export function line(box, input, number, about, show) {
  fill(box, h('h2', {}, `Line ${number}`), h('p', { class: 'meta' }, about.command ? `in the output of ${about.command}` : 'outside of any command', about.understood ? '' : ' · not understood'),
    about.findings?.length > 0 && h('ul', {}, about.findings.map((f) => h('li', {}, h('button', { type: 'button', class: 'place', onclick: () => show.finding(f.finding - 1) }, `[${f.finding}] ${f.id}`), ` ${f.why}`))),
    about.addresses?.length > 0 && h('ul', {}, about.addresses.map((a) => h('li', {}, h('button', { type: 'button', class: 'address', onclick: () => show.address(a.thread || a.resource || a.address, a.session) }, bare(a.address)), ` ${a.text}`))),
    about.notes?.length > 0 && h('ul', {}, about.notes.map((n) => h('li', {}, n))),
    !about.findings?.length && !about.addresses?.length && !about.notes?.length && h('p', { class: 'quiet' }, about.understood ? 'It was read; nothing in the report rests on it alone.' : 'No reader knows this line.'));
}
