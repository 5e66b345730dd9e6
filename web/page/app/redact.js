// Pseudonyms in place of addresses, names and paths, and the way back.

import { $, h, fill, say, plural } from './dom.js';
import { asJSON } from './engine.js';
import { task } from './progress.js';

/** Returns the inputs with pseudonyms, and in figures what was done. */
async function redacted(engine, files, progress) {
  const given = files.map((f) => ({ name: f.name, blob: f.blob }));
  const { inputs, summary } = asJSON(await engine.call('redact', {}, given, progress));
  const out = [];
  for (const [i, name] of inputs.entries()) out.push({ name, blob: new Blob([await engine.call('redacted', { input: i }, given, progress)]) });
  return { files: out, summary };
}

export class Redaction {
  #input; #original;

  /** Analysed resolves when what was given last is analysed, to whether it has a report. */
  constructor(input, analysed) {
    this.#input = input;
    this.analysed = analysed;
  }

  /** Redacts the input, or takes that back. */
  async toggle(engine) {
    if (this.#original) {
      this.#input.set(this.#original);
      return;
    }
    const files = this.#input.files;
    $('redact').disabled = true;
    const aside = engine.aside();
    try {
      const got = await task((progress) => redacted(aside, files, progress), () => aside.cancel());
      if (this.#input.files !== files) return;
      await this.#input.replace(got.files);
      this.#original = files;
      $('redact').textContent = 'Show the original';
      if (await this.analysed()) said(got.summary);
    } catch (e) {
      say(e.kind === 'cancelled' ? 'Stopped' : e.message);
    } finally {
      aside.close();
      if (this.#input.files === files) $('redact').disabled = false;
    }
  }

  /** Lets the original go when there is another input. */
  forget() {
    this.#original = undefined;
    $('redact').textContent = 'Redact';
  }
}

function said(s) {
  const dialog = $('dialog');
  fill(dialog, h('h2', { id: 'dialog-title' }, 'Redacted'),
    h('p', {}, `The input now has pseudonyms: ${plural(s.names, 'name')} in ${plural(s.words, 'place')}, ${plural(s.numbers, 'ID')} in ${plural(s.ids, 'place')}, addresses in ${plural(s.addresses, 'place')}. All that the verdict rests on stays. What you copy and download now holds pseudonyms alone.`),
    s.not_understood > 0 && h('p', { class: 'advice' }, `${plural(s.not_understood, 'line')} nobody understood. Their words were replaced like all others; look through them before you share the log.`),
    (s.unmoved > 0 || s.merged > 0) && h('p', { class: 'advice' }, [s.unmoved > 0 && `${plural(s.unmoved, 'address place')} had no room to move to and stayed. `, s.merged > 0 && `${plural(s.merged, 'short name')} share a pseudonym with others.`].filter(Boolean).join('')),
    h('p', { class: 'quiet' }, 'Pseudonymous is not anonymous: how many threads wait, which Windows modules are on their stacks, and when, is still there.'),
    h('div', { class: 'bar' }, h('button', { type: 'button', onclick: () => dialog.close() }, 'Close')));
  dialog.showModal();
}
