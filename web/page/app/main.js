// The page: an input, an engine, a report, and the ways between them.

import { $, h, fill, say, copy, save, bytes, plural, commands } from './dom.js';
import { startEngine, asJSON, asText } from './engine.js';
import { Input, mostAtOnce } from './input.js';
import { Viewer } from './viewer.js';
import { Tables } from './table.js';
import { pictures, select, setDark } from './picture.js';
import * as report from './report.js';
import { CompareView } from './compare.js';
import { RulesView } from './rules.js';
import { listExamples, example } from './examples.js';
import { bindKeys } from './keys.js';
import { View } from './hash.js';
import { help, explain } from './help.js';

const input = new Input();
let engine;
let analysis; // what the engine said last
let running = false;
let again = false;
let redacted; // the files as they were before they were redacted
let timer;

/** What parts of the page ask the engine, and what they ask the page to show. */
const ask = {
  lines: async (i, first, count) => asJSON(await engine.call('lines', { input: i, first, count })),
  rows: async (args, progress) => asJSON(await engine.call('rows', args, [], progress)),
  json: async (name, args, inputs, progress) => asJSON(await engine.call(name, args, inputs, progress)),
  text: async (name, args, inputs) => asText(await engine.call(name, args, inputs)),
  get rules() { return rulesView.files; },
  get ruleArgs() { return { rules: rulesView.files, no_builtin: rulesView.noBuiltin }; },
};

const viewer = new Viewer($('viewer'), ask, about);
const show = { finding, evidence, marks, address, at, line: (i, n) => openLine(i, n), explain: (id) => explain(ask, id) };
const tables = new Tables($('tables'), ask, show);
const compareView = new CompareView($('compare'), ask);
const rulesView = new RulesView($('own'), ask, () => analyse());
const view = new View();

async function start() {
  theme(localTheme());
  wire();
  try {
    engine = await startEngine(globalThis.kdlocksParts);
    await engine.ready;
  } catch (e) {
    fill($('mode'), `The engine does not start: ${e.message}`);
    $('mode').classList.add('bad');
    return;
  }
  document.documentElement.dataset.engine = engine.name;
  mode();
  await listExamples($('examples'));
  welcome();
  view.apply({ example: openExample, text: (t) => input.text(t), view: choose });
  if (input.files.length > 0) analyse();
}

function mode() {
  const here = engine.name === 'browser';
  fill($('mode'), here ? 'engine in this page' : 'engine in the program that serves this page');
  fill($('privacy'), here
    ? 'What you paste or drop stays in this page: the engine runs in your browser, and the browser itself keeps it from sending anything.'
    : 'This build has no engine for the browser: what you paste goes to the program that serves this page, which keeps nothing, and nowhere else.');
}

function wire() {
  input.addEventListener('change', (e) => changed(e.detail));
  input.addEventListener('files', (e) => dropped(e.detail));
  $('examples').addEventListener('change', (e) => { if (e.target.value) openExample(e.target.value); });
  $('clear').addEventListener('click', () => { input.clear(); $('text').focus(); });
  $('redact').addEventListener('click', redact);
  $('cancel').addEventListener('click', () => { again = false; engine.cancel(); });
  $('theme').addEventListener('click', () => theme(isDark() ? 'light' : 'dark'));
  $('help-button').addEventListener('click', help);
  $('take-markdown').addEventListener('click', async () => copy(await ask.text('write', { format: 'markdown', trouble: analysis.trouble }), 'Markdown'));
  for (const b of document.querySelectorAll('[data-save]')) b.addEventListener('click', () => take(b.dataset.save));
  $('link').addEventListener('click', () => view.share(input));
  for (const name of ['one', 'compare', 'rules']) $(`view-${name}`).addEventListener('click', () => choose(name));
  $('tab-edit').addEventListener('click', () => tab('edit'));
  $('tab-read').addEventListener('click', () => tab('read'));
  for (const t of ['edit', 'read']) {
    $(`tab-${t}`).addEventListener('keydown', (e) => {
      if (e.key !== 'ArrowLeft' && e.key !== 'ArrowRight' || $('tab-read').disabled) return;
      tab(t === 'edit' ? 'read' : 'edit');
      $(`tab-${t === 'edit' ? 'read' : 'edit'}`).focus();
    });
  }
  $('which').addEventListener('change', (e) => open(Number(e.target.value)));
  $('find').addEventListener('keydown', (e) => { if (e.key === 'Enter') find(e.shiftKey); });
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => { if (!document.documentElement.dataset.theme) theme(); });
  bindKeys({ find: () => { if (!$('find').disabled) { tab('read'); $('find').focus(); } }, finding: step, examples: () => $('examples').focus(), help, choose, evidence: stepEvidence, theme: () => $('theme').click() });
  addEventListener('hashchange', () => view.apply({ example: openExample, text: (t) => input.text(t), view: choose }));
}

function welcome() {
  fill($('start'),
    h('h2', {}, 'Paste, and know'),
    h('p', {}, 'A Windows server hangs. Paste what the kernel debugger printed: the verdict comes first, then the lines that it rests on.'),
    h('h3', {}, 'Nothing to paste yet?'),
    h('p', {}, 'Open the dump in WinDbg (or attach), type these, then drop C:\\hang.log here:'),
    commands(['.logopen /t C:\\hang.log', '!locks -v', '!stacks 2', '!process 0 7', '.logclose']),
    h('h3', {}, 'Or try an example'),
    h('ul', { class: 'examples' }, [...$('examples').options].slice(1).map((o) => h('li', {}, h('button', { type: 'button', class: 'place', onclick: () => openExample(o.value) }, o.textContent)))));
}

// Input and analysis.

function changed(why) {
  clearTimeout(timer);
  redacted = why === 'redacted' ? redacted : undefined;
  $('redact').textContent = redacted ? 'Show the original' : 'Redact';
  const empty = input.files.length === 0;
  $('clear').disabled = empty;
  $('redact').disabled = true;
  fill($('size'), empty ? '' : bytes(input.size));
  if (why !== 'hash') view.drop();
  if (empty) {
    forget();
    $('result').hidden = true;
    $('start').hidden = false;
    $('tab-read').disabled = $('find').disabled = true;
    tab('edit');
    return;
  }
  if (why === 'typed' && input.size > mostAtOnce) {
    fill($('size'), bytes(input.size), ' ', h('button', { type: 'button', onclick: analyse }, 'Analyse'));
    return;
  }
  if (why === 'typed') timer = setTimeout(analyse, 100);
  else analyse();
}

/** Lets go of what was analysed, and of all that shows it. */
function forget() {
  analysis = undefined;
  for (const id of ['verdict', 'advice', 'pictures', 'findings', 'detail', 'rules', 'tables', 'coverage', 'line']) fill($(id));
  $('announce').textContent = '';
  $('find').value = '';
  $('s-detail').hidden = true;
  viewer.show(-1, 0);
  document.title = 'kdlocks: who is deadlocked in this debugger output?';
}

/** Analyses the input; what changes meanwhile is analysed behind it. */
async function analyse() {
  if (!engine || input.files.length === 0) return;
  if (running) {
    again = true;
    return;
  }
  running = true;
  const files = input.files;
  const began = performance.now();
  const late = setTimeout(() => { $('progress').hidden = false; }, 250);
  try {
    const got = await ask.json('analyze', ask.ruleArgs, files.map((f) => ({ name: f.name, blob: f.blob })), progress);
    if (files === input.files) present(got, performance.now() - began);
  } catch (e) {
    if (e.kind === 'cancelled') stopped();
    else if (e.kind === 'token') askToken();
    else trouble(e);
  } finally {
    clearTimeout(late);
    running = false;
    $('progress').hidden = true;
  }
  if (again) {
    again = false;
    analyse();
  }
}

function progress({ stage, done, total }) {
  const bar = $('bar');
  if (total > 0) {
    bar.max = total;
    bar.value = done;
  } else bar.removeAttribute('value');
  fill($('stage'), `${stage} ${bytes(done)}${total > 0 ? ` of ${bytes(total)}` : ''}`);
}

function trouble(e) {
  forget();
  $('start').hidden = true;
  $('result').hidden = false;
  for (const s of $('result').querySelectorAll(':scope > section:not(#verdict), #take')) s.hidden = true;
  fill($('verdict'), h('p', { class: 'kind warn' }, 'NOT ANALYSED'), h('p', { class: 'trouble' }, e.message));
  $('announce').textContent = `Not analysed: ${e.message}`;
}

function stopped() {
  say('Stopped');
  trouble({ message: 'The analysis was stopped.' });
  $('verdict').append(h('p', {}, h('button', { type: 'button', onclick: analyse }, 'Analyse')));
}

function askToken() {
  const dialog = $('dialog');
  const field = h('input', { type: 'password', id: 'token', autocomplete: 'off' });
  fill(dialog, h('form', { method: 'dialog', onsubmit: () => { engine.token = field.value; setTimeout(analyse); } },
    h('h2', { id: 'dialog-title' }, 'Token'), h('p', {}, h('label', { for: 'token' }, 'This server asks for the token that it was started with. It is kept until this page is closed.')), field, h('div', { class: 'bar' }, h('button', {}, 'Go on'))));
  dialog.showModal();
}

function present(got, took) {
  if (!got.report) forget();
  analysis = got;
  const r = got.report;
  $('start').hidden = true;
  $('result').hidden = false;
  $('s-detail').hidden = true;
  $('announce').textContent = report.verdict($('verdict'), got, show);
  document.documentElement.dataset.took = Math.round(took);
  report.advice($('advice'), got);
  $('take').hidden = !r;
  for (const s of $('result').querySelectorAll(':scope > section:not(#verdict, #s-detail)')) s.hidden = !r;
  fill($('size'), bytes(input.size), r ? `, ${plural(got.inputs.reduce((n, i) => n + i.lines, 0), 'line')}` : '');
  $('tab-read').disabled = $('find').disabled = !r;
  $('redact').disabled = !r;
  if (!r) {
    tab('edit');
    return;
  }
  pictures($('pictures'), { panels: got.pictures ?? [], more: got.pictures_more, legend: got.legend }, isDark(), (a) => address(a));
  reach = report.findings($('findings'), r, show);
  report.rules($('rules'), r);
  tables.show(got.tables ?? []);
  report.coverage($('coverage'), r, show);
  const which = $('which');
  fill(which, got.inputs.map((i, n) => h('option', { value: String(n) }, i.name)));
  which.hidden = got.inputs.length < 2;
  open(0);
  fill($('line'));
  if (!input.typed) tab('read');
  if (r.findings.length > 0) marks(0, false);
  chosen = piece = -1;
  document.title = `${r.verdict.kind.toUpperCase()} — kdlocks`;
}

// The lines of the input.

function tab(name) {
  for (const t of ['edit', 'read']) {
    $(t).hidden = t !== name;
    $(`tab-${t}`).setAttribute('aria-selected', String(t === name));
    $(`tab-${t}`).tabIndex = t === name ? 0 : -1;
  }
}

function open(i) {
  $('which').value = String(i);
  viewer.show(i, analysis.inputs[i]?.lines ?? 0);
}

/** Brings a part of the page into view where it is not. */
function reveal(el) { el.scrollIntoView({ block: 'nearest' }); }

function openLine(i, n) {
  if (i < 0) return;
  tab('read');
  if (viewer.input !== i) open(i);
  viewer.pick(n);
  reveal($('viewer'));
}

const inputOf = (name) => Math.max(0, analysis.inputs.findIndex((i) => i.name === name));

function at(place) { openLine(place.input === undefined ? viewer.input : inputOf(place.input), place.line); }

async function about(n) {
  try {
    report.line($('line'), viewer.input, n, await ask.json('line', { input: viewer.input, first: n }), show);
  } catch (e) {
    fill($('line'), e.message);
  }
}

let search = { text: '', line: 0 };

async function find(back) {
  const text = $('find').value;
  if (!text) return;
  tab('read');
  const same = text === search.text && viewer.active === search.line;
  const from = same ? viewer.active + (back ? -1 : 1) : viewer.active || 1;
  const got = await ask.json('find', { input: viewer.input, from: from < 1 || from > viewer.count ? (back ? viewer.count : 1) : from, text, back });
  if (got.line === 0) {
    say(`“${text}” is not in the input`);
    return;
  }
  search = { text, line: got.line };
  viewer.mark([{ ...got, kind: 'hit' }]);
  viewer.go(got.line);
  say(`Line ${got.line}`);
}

// From findings to the input and back.

let chosen = -1; // finding
let reach; // makes sure that a finding is shown
let piece = -1; // of its evidence

/** Marks all evidence of a finding in the input. */
function marks(i, move = true) {
  chosen = i;
  const f = analysis.report.findings[i];
  if (!f?.evidence?.length) return;
  const first = f.evidence[0];
  const k = inputOf(first.input);
  if (move) {
    tab('read');
    if (viewer.input !== k) open(k);
  }
  viewer.mark(f.evidence.filter((e) => inputOf(e.input) === viewer.input).map((e) => ({ ...e, kind: 'evidence' })));
  if (move) {
    viewer.go(first.line);
    reveal($('viewer'));
  }
}

function evidence(i, k) {
  marks(i);
  piece = k;
  reach?.(i);
  const e = analysis.report.findings[i].evidence[k];
  const n = inputOf(e.input);
  if (viewer.input !== n) {
    open(n);
    marks(i, false);
  }
  viewer.mark(analysis.report.findings[i].evidence.filter((o) => inputOf(o.input) === n).map((o) => ({ ...o, kind: o === e ? 'chosen' : 'evidence' })));
  viewer.pick(e.line);
  reveal($('viewer'));
  for (const b of document.querySelectorAll('.place.chosen')) b.classList.remove('chosen');
  document.querySelector(`[data-evidence="${i + 1}.${k}"]`)?.classList.add('chosen');
}

function finding(i) {
  reach?.(i);
  const el = $(`f${i + 1}`);
  if (!el) return;
  chosen = i;
  el.scrollIntoView({ block: 'start', behavior: matchMedia('(prefers-reduced-motion: reduce)').matches ? 'auto' : 'smooth' });
  el.focus({ preventScroll: true });
  marks(i, false);
}

function step(by) {
  const n = analysis?.report?.findings.length ?? 0;
  if (n > 0) {
    finding(Math.min(Math.max(chosen + by, 0), n - 1));
    piece = -1;
  }
}

function stepEvidence() {
  const f = analysis?.report?.findings[Math.max(chosen, 0)];
  if (f?.evidence?.length > 0) evidence(Math.max(chosen, 0), (piece + 1) % f.evidence.length);
}

/** Shows what there is about a thread or lock: its evidence, its stack, its place. */
async function address(a, session = 0) {
  const full = a.startsWith('0x') ? a : `0x${a.replace(/^0+/, '')}`;
  const r = analysis.report;
  select($('pictures'), new Set([report.bare(full)]));
  const pieces = r.findings.flatMap((f) => f.evidence ?? []).filter((e) => e.address === full || e.text.replaceAll('`', '').includes(report.bare(full)));
  if (pieces.length > 0) {
    const k = inputOf(pieces[0].input);
    tab('read');
    if (viewer.input !== k) open(k);
    viewer.mark(pieces.filter((e) => inputOf(e.input) === k).map((e) => ({ ...e, kind: e === pieces[0] ? 'chosen' : 'evidence' })));
    viewer.go(pieces[0].line);
  }
  const s = session || r.findings.find((f) => f.threads?.includes(full) || f.resources?.includes(full))?.session || (r.sessions ? 1 : 0);
  const [what, t] = await Promise.all([ask.json('resolve', { addresses: [full] }), ask.json('thread', { session: s, address: full })]);
  $('s-detail').hidden = false;
  fill($('detail'), h('ul', {}, (what ?? []).map((x) => h('li', {}, report.bare(x.address), ` ${x.text} `, x.at && h('button', { type: 'button', class: 'place', onclick: () => at(x.at) }, `line ${x.at.line}`)))), t && report.thread(t, show));
  reveal($('s-detail'));
  if (pieces.length === 0 && what?.[0]?.at) at(what[0].at);
}

// Taking it along.

const types = { json: 'application/json', html: 'text/html', svg: 'image/svg+xml', sarif: 'application/sarif+json' };

async function take(format) {
  try {
    const data = await engine.call('write', { format, trouble: analysis.trouble });
    save(`kdlocks-report.${format}`, types[format], data);
  } catch (e) {
    say(e.message);
  }
}

/** Puts pseudonyms in place of addresses, names and paths, or takes that back. */
async function redact() {
  if (redacted) {
    const files = redacted;
    redacted = undefined;
    if (files.length === 1 && files[0].typed) input.text(await files[0].blob.text().catch(() => ''), files[0].name, files[0].blob);
    else input.set(files);
    return;
  }
  try {
    const before = input.files;
    const given = before.map((f) => ({ name: f.name, blob: f.blob }));
    const got = await ask.json('redact', {}, given);
    const files = [];
    for (const [i, name] of got.inputs.entries()) files.push({ name, blob: new Blob([await engine.call('redacted', { input: i }, given)]) });
    if (input.files !== before) return;
    if (input.typed && files.length === 1) {
      $('text').value = await files[0].blob.text();
      input.files = [{ ...files[0], typed: true }];
    } else input.set(files);
    redacted = before;
    changed('redacted');
    redactedSaid(got.summary);
  } catch (e) {
    say(e.message);
  }
}

function redactedSaid(s) {
  const dialog = $('dialog');
  fill(dialog, h('h2', { id: 'dialog-title' }, 'Redacted'),
    h('p', {}, `The input now has pseudonyms: ${plural(s.names, 'name')} in ${plural(s.words, 'place')}, ${plural(s.numbers, 'ID')} in ${plural(s.ids, 'place')}, addresses in ${plural(s.addresses, 'place')}. All that the verdict rests on stays. What you copy and download now holds pseudonyms alone.`),
    s.not_understood > 0 && h('p', { class: 'advice' }, `${plural(s.not_understood, 'line')} nobody understood. Their words were replaced like all others; look through them before you share the log.`),
    (s.unmoved > 0 || s.merged > 0) && h('p', { class: 'advice' }, [s.unmoved > 0 && `${plural(s.unmoved, 'address place')} had no room to move to and stayed. `, s.merged > 0 && `${plural(s.merged, 'short name')} share a pseudonym with others.`].filter(Boolean).join('')),
    h('p', { class: 'quiet' }, 'Pseudonymous is not anonymous: how many threads wait, which Windows modules are on their stacks, and when, is still there.'),
    h('div', { class: 'bar' }, h('button', { type: 'button', onclick: () => dialog.close() }, 'Close')));
  dialog.showModal();
}

// Views.

function choose(name) {
  for (const v of ['one', 'compare', 'rules']) $(`view-${v}`).setAttribute('aria-pressed', String(v === name));
  document.body.dataset.view = name;
  $('compare').hidden = name !== 'compare';
  $('own').hidden = name !== 'rules';
  $('report').hidden = name === 'compare';
  $('input-side').hidden = name !== 'one';
  if (name === 'compare') compareView.open(input.files);
  if (name === 'rules') rulesView.open();
  view.set('view', name === 'one' ? '' : name);
}

async function openExample(file) {
  try {
    const text = await example(file);
    choose('one');
    input.text(text, file);
    view.set('example', file);
  } catch (e) {
    say(`The example cannot be loaded: ${e.message}`);
  } finally {
    $('examples').value = '';
  }
}

function dropped(list) {
  const own = list.filter((f) => /\.ya?ml$/i.test(f.name));
  const logs = list.filter((f) => !own.includes(f));
  if (own.length > 0) {
    rulesView.add(own).then(() => { if (logs.length === 0) choose('rules'); });
  }
  if (document.body.dataset.view === 'compare') compareView.add(logs);
  else if (logs.length > 0) input.take(logs);
}

const isDark = () => (document.documentElement.dataset.theme ?? (matchMedia('(prefers-color-scheme: dark)').matches ? 'dark' : 'light')) === 'dark';
const localTheme = () => new URLSearchParams(location.hash.slice(1)).get('theme') ?? undefined;

function theme(name) {
  if (name) {
    document.documentElement.dataset.theme = name;
    view?.set('theme', name);
  }
  setDark(isDark());
}

start();
