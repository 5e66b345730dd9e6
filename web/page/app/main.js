// The page: an input, an engine, a report, and the ways between them.

import { $, h, fill, say, copy, save, bytes, plural, commands } from './dom.js';
import { startEngine, asJSON, asText, tokens } from './engine.js';
import { Input, mostAtOnce } from './input.js';
import { Lines } from './lines.js';
import { Evidence } from './evidence.js';
import { Tables } from './table.js';
import { charts, pictures, setDark } from './picture.js';
import * as report from './report.js';
import { CompareView } from './compare.js';
import { RulesView } from './rules.js';
import { Redaction } from './redact.js';
import { listExamples, example } from './examples.js';
import { bindKeys } from './keys.js';
import { View } from './hash.js';
import { task, cancel } from './progress.js';
import { help, explain } from './help.js';
import { askToken } from './token.js';

// An analysis that runs for longer than this, in milliseconds, ends when there is another
// input; a shorter one is over before a new worker would be ready.
const worthWaiting = 300;

let engine;
let analysis; // what the engine said last
let work; // the analyses that run, one behind the other
let wanted = false; // another one is due
let began = 0; // when the one that runs began
let typing = false; // the last change came from keys
let timer;

/** What parts of the page ask the engine, and what they ask the page to show. */
const ask = {
  lines: async (i, first, count) => asJSON(await engine.call('lines', { input: i, first, count })),
  rows: async (args, progress) => asJSON(await engine.call('rows', args, [], progress)),
  json: async (name, args, inputs, progress) => asJSON(await engine.call(name, args, inputs, progress)),
  text: async (name, args, inputs) => asText(await engine.call(name, args, inputs)),
  aside: () => engine.aside(),
  prepare: () => engine?.prepare(),
  get rules() { return rulesView.files; },
  get ruleArgs() { return { rules: rulesView.files, no_builtin: rulesView.noBuiltin }; },
};

const show = {
  finding: (i) => evidence.finding(i), evidence: (i, k) => evidence.piece(i, k), marks: (i) => evidence.marks(i),
  address: (a, session) => evidence.address(a, session).catch((e) => say(e.message)), at: (place) => evidence.at(place),
  line: (i, n) => lines.pick(i, n), explain: (id) => explain(ask, id),
};
const input = new Input();
const lines = new Lines(ask, show);
const evidence = new Evidence(ask, show, lines);
const tables = new Tables($('tables'), ask, show);
const compareView = new CompareView($('compare'), ask);
const rulesView = new RulesView($('own'), ask, () => analyse());
const redaction = new Redaction(input, ask, () => work);
const view = new View();
const address = { example: openExample, text: (t) => input.text(t), view: choose, theme: shine };

async function start() {
  shine(view.theme);
  wire();
  try {
    engine = await startEngine(globalThis.kdlocksParts);
    await engine.ready;
  } catch (e) {
    fill($('mode'), `The engine does not start: ${e.message}`);
    $('mode').classList.add('bad');
    return;
  }
  tokens.dialog = askToken;
  engine.lost = () => { if (!work && analysis) analyse(); };
  document.documentElement.dataset.engine = engine.name;
  mode();
  $('redact').disabled = input.files.length === 0;
  if (input.files.length > 0) analyse();
  await listExamples($('examples')).catch(() => {}); // the page does without
  if (input.files.length === 0) welcome();
  await view.apply(address);
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
  input.addEventListener('given', (e) => given(e.detail));
  $('examples').addEventListener('change', (e) => { if (e.target.value) fromList(e.target.value); });
  $('clear').addEventListener('click', () => { input.clear(); $('text').focus(); });
  $('cancel').addEventListener('click', cancel);
  $('theme').addEventListener('click', () => theme(isDark() ? 'light' : 'dark'));
  $('help-button').addEventListener('click', help);
  $('take-markdown').addEventListener('click', () => take('markdown'));
  for (const b of document.querySelectorAll('[data-save]')) b.addEventListener('click', () => take(b.dataset.save));
  $('link').addEventListener('click', () => view.share(input));
  for (const name of ['one', 'compare', 'rules']) $(`view-${name}`).addEventListener('click', () => choose(name));
  document.querySelector('.skip').addEventListener('click', (e) => {
    e.preventDefault(); // the hash holds other things
    [...document.querySelectorAll('#report, #compare')].find((el) => !el.hidden).focus();
  });
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => setDark(isDark()));
  bindKeys({ find: () => { if (!$('find').disabled) { lines.tab('read'); $('find').focus(); } }, finding: (by) => evidence.step(by), examples: () => $('examples').focus(), help, choose, evidence: () => evidence.stepPiece(), theme: () => $('theme').click() });
  addEventListener('hashchange', () => view.apply(address));
}

function welcome() {
  $('start').hidden = false;
  $('result').hidden = true;
  fill($('start'),
    h('h2', {}, 'Paste, and know'),
    h('p', {}, 'A Windows server hangs. Paste what the kernel debugger printed: the verdict comes first, then the lines that it rests on.'),
    h('h3', {}, 'Nothing to paste yet?'),
    h('p', {}, 'Open the dump in WinDbg (or attach), type these, then drop C:\\hang.log here:'),
    commands(['.logopen /t C:\\hang.log', '!locks -v', '!stacks 2', '!process 0 7', '.logclose']),
    h('h3', {}, 'Or try an example'),
    h('ul', { class: 'examples' }, [...$('examples').options].slice(1).map((o) => h('li', {}, h('button', { type: 'button', class: 'place', onclick: () => fromList(o.value) }, o.textContent)))));
}

// Input and analysis.

function changed(why) {
  clearTimeout(timer);
  typing = why === 'typed';
  if (why !== 'replaced') redaction.forget();
  view.input();
  if (work && performance.now() - began > worthWaiting) engine.cancel();
  const empty = input.files.length === 0;
  $('clear').disabled = empty;
  $('redact').disabled = empty || !engine;
  fill($('size'), empty ? '' : bytes(input.size));
  if (why === 'replaced') {
    forget(); // what it names is not to be seen any more
    $('result').hidden = true;
    compareView.release(input.files);
  }
  if (empty) {
    forget();
    welcome();
  } else if (why === 'typed' && input.size > mostAtOnce) waiting(`More than ${bytes(mostAtOnce)} is not analysed while you type.`);
  else if (why === 'typed') timer = setTimeout(analyse, 100);
  else analyse();
}

/** Lets go of what was analysed, and of all that shows it. */
function forget() {
  analysis = undefined;
  for (const id of ['verdict', 'advice', 'pictures', 'charts', 'findings', 'rules', 'tables', 'coverage']) fill($(id));
  announce('');
  lines.set([]);
  evidence.set();
  document.title = 'kdlocks: who is deadlocked in this debugger output?';
}

/** Analyses the input; what changes meanwhile is analysed behind it. Resolves when
 * nothing is left to do. */
function analyse() {
  clearTimeout(timer);
  wanted = true;
  work ??= (async () => {
    while (wanted && engine && input.files.length > 0) {
      wanted = false;
      await analyseOnce();
    }
  })().finally(() => { work = undefined; });
  return work;
}

async function analyseOnce() {
  const files = input.files;
  began = performance.now();
  const late = setTimeout(() => $('report').setAttribute('aria-busy', 'true'), worthWaiting);
  try {
    const got = await task((progress) => ask.json('analyze', ask.ruleArgs, files.map((f) => ({ name: f.name, blob: f.blob })), progress), () => { wanted = false; engine.cancel(); });
    if (files === input.files) await present(got, performance.now() - began);
  } catch (e) {
    if (files !== input.files) return; // nobody waits for it any more
    if (e.kind === 'cancelled') {
      say('Stopped');
      waiting('The analysis was stopped.');
    } else if (e.kind === 'token') waiting(e.message);
    else trouble(e.message);
  } finally {
    clearTimeout(late);
    $('report').removeAttribute('aria-busy');
  }
}

function trouble(why) {
  forget();
  $('start').hidden = true;
  $('result').hidden = false;
  for (const s of $('result').querySelectorAll(':scope > section:not(#verdict), #take')) s.hidden = true;
  fill($('verdict'), h('p', { class: 'kind warn' }, 'NOT ANALYSED'), h('p', { class: 'trouble' }, why));
  announce(`Not analysed: ${why}`);
}

/** Says why nothing is analysed until somebody wants it. */
function waiting(why) {
  trouble(why);
  $('verdict').append(h('p', {}, h('button', { type: 'button', class: 'main', onclick: analyse }, 'Analyse')));
}

/** Tells those who do not see the page what it says; while somebody types, what stands. */
function announce(text) {
  clearTimeout(announce.timer);
  const tell = () => { if ($('announce').textContent !== text) $('announce').textContent = text; };
  if (typing && text) announce.timer = setTimeout(tell, 1000);
  else tell();
}

/** Shows what the engine said: the verdict, and once that is seen what it rests on. */
async function present(got, took) {
  const r = got.report;
  // Where a report is, another takes its place without a jump.
  if (!analysis?.report || !r) for (const s of $('result').querySelectorAll(':scope > section:not(#verdict), #take')) s.hidden = true;
  if (!r) forget();
  analysis = got;
  $('start').hidden = true;
  $('result').hidden = false;
  announce(report.verdict($('verdict'), got, show));
  document.documentElement.dataset.took = Math.round(took);
  report.advice($('advice'), got);
  fill($('size'), bytes(input.size), r ? `, ${plural(got.inputs.reduce((n, i) => n + i.lines, 0), 'line')}` : '');
  if (!r) return;
  $('result').setAttribute('aria-busy', 'true');
  await new Promise((resolve) => { setTimeout(resolve); });
  $('result').removeAttribute('aria-busy');
  if (analysis === got) support(got);
}

/** Shows what a verdict rests on. */
function support(got) {
  const r = got.report;
  for (const s of $('result').querySelectorAll(':scope > section:not(#s-detail), #take')) s.hidden = false;
  pictures($('pictures'), { panels: got.pictures ?? [], more: got.pictures_more, legend: got.legend }, isDark(), show.address);
  charts($('charts'), got.charts ?? [], isDark());
  $('s-pictures').hidden = !got.pictures && !!got.charts;
  $('s-charts').hidden = !got.charts;
  const reach = report.findings($('findings'), r, show);
  report.rules($('rules'), r);
  tables.show(got.tables ?? []);
  report.coverage($('coverage'), r, show);
  lines.set(got.inputs);
  evidence.set(r, reach);
  if (!input.typed) lines.tab('read');
  document.title = `${r.verdict.kind.toUpperCase()} — kdlocks`;
}

// Taking it along.

const types = { json: 'application/json', html: 'text/html', svg: 'image/svg+xml', sarif: 'application/sarif+json' };

async function take(format) {
  try {
    const data = await task((progress) => engine.call('write', { format, trouble: analysis.trouble }, [], progress), () => engine.cancel());
    if (format === 'markdown') await copy(asText(data), 'Markdown');
    else save(`kdlocks-report.${format}`, types[format], data);
  } catch (e) {
    say(e.kind === 'cancelled' ? 'Stopped' : e.message);
  }
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
  else compareView.close();
  if (name === 'rules') rulesView.open();
  view.set('view', name === 'one' ? '' : name);
}

/** Opens an example that somebody chose, where its verdict is seen. */
function fromList(file) {
  choose('one');
  return openExample(file);
}

async function openExample(file) {
  try {
    input.text(await example(file), file);
    view.input('example', file);
  } catch (e) {
    view.input();
    say(`The example cannot be loaded: ${e.message}`);
  } finally {
    $('examples').value = '';
  }
}

/** Takes what was dropped, pasted beside a field or picked: rules as rules, captures
 * where captures are compared, else logs as the case. */
function given(list) {
  const own = list.filter((f) => /\.ya?ml$/i.test(f.name));
  const logs = list.filter((f) => !own.includes(f));
  if (own.length > 0) {
    rulesView.add(own).then(() => { if (logs.length === 0) choose('rules'); });
  }
  if (logs.length === 0) return;
  if (document.body.dataset.view === 'compare') compareView.add(logs);
  else input.take(logs);
}

const isDark = () => (document.documentElement.dataset.theme ?? (matchMedia('(prefers-color-scheme: dark)').matches ? 'dark' : 'light')) === 'dark';

/** Shines light, dark, or as the reader's screen does. */
function shine(name) {
  if (name) document.documentElement.dataset.theme = name;
  else delete document.documentElement.dataset.theme;
  setDark(isDark());
}

function theme(name) {
  shine(name);
  view.set('theme', name);
}

start();
