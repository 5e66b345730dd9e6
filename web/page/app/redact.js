// Pseudonyms in place of addresses, names and paths, and the way back.

import { $, h, fill, say, plural } from './dom.js';
import { asJSON } from './engine.js';
import { task } from './progress.js';

/** Returns texts with pseudonyms in place of those of files, under names that tell
 * nothing, and in figures what was done. Keep are words that stay. */
export async function redacted(ask, files, keep = []) {
  const given = files.map((f) => ({ name: f.name, blob: f.blob }));
  const aside = ask.aside();
  try {
    return await task(async (progress) => {
      const { inputs, summary } = asJSON(await aside.call('redact', { keep }, given, progress));
      const out = [];
      for (const [i, name] of inputs.entries()) out.push({ name, blob: new Blob([await aside.call('redacted', { input: i, keep }, given, progress)]) });
      return { files: out, summary };
    }, () => aside.cancel());
  } finally {
    aside.close();
  }
}

export const notRedacted = (e) => say(e.kind === 'cancelled' ? 'Stopped' : e.message);

export class Redaction {
  #input; #ask; #original; #analysed;

  /** Analysed resolves when what was given last is analysed. */
  constructor(input, ask, analysed) {
    this.#input = input;
    this.#ask = ask;
    this.#analysed = analysed;
    $('redact').addEventListener('click', () => (this.#original ? this.#input.set(this.#original) : this.#redact(input.files, [])));
  }

  async #redact(files, keep) {
    const shown = this.#input.files;
    $('redact').disabled = true;
    try {
      const got = await redacted(this.#ask, files, keep);
      if (this.#input.files !== shown) return;
      await this.#input.replace(got.files);
      const now = this.#input.files;
      this.#original = files;
      $('redact').textContent = 'Show the original';
      await this.#analysed();
      if (this.#input.files === now) said(got.summary, keep, this.#ask.rules.length > 0, (words) => this.#redact(files, words));
    } catch (e) {
      notRedacted(e);
    } finally {
      $('redact').disabled = this.#input.files.length === 0;
    }
  }

  /** Lets the original go when there is another input. */
  forget() {
    this.#original = undefined;
    $('redact').textContent = 'Redact';
  }
}

/** Says what was done; again redacts the original with other words that stay. */
function said(s, keep, ownRules, again) {
  const dialog = $('dialog');
  const words = h('input', { type: 'text', id: 'keep', value: keep.join(' '), spellcheck: 'false' });
  const form = h('form', { method: 'dialog', onsubmit: () => again(words.value.split(/[\s,]+/).filter(Boolean)) },
    h('p', {}, h('label', { for: 'keep' }, 'Words that should stay, such as the name of a driver:')),
    h('div', { class: 'bar' }, words, h('button', {}, 'Redact again')));
  fill(dialog, h('h2', { id: 'dialog-title' }, 'Redacted'),
    h('p', {}, `The input now has pseudonyms: ${plural(s.names, 'name')} in ${plural(s.words, 'place')}, ${plural(s.numbers, 'ID')} in ${plural(s.ids, 'place')}, addresses in ${plural(s.addresses, 'place')}. All that the verdict rests on stays. What you copy and download now holds pseudonyms alone.`),
    ownRules && h('p', { class: 'advice' }, 'Own rules that ask for a module or function by its name do not find it under a pseudonym. Let its name stay if that matters.'),
    s.not_understood > 0 && h('p', { class: 'advice' }, `${plural(s.not_understood, 'line')} nobody understood. Their words were replaced like all others; look through them before you share the log.`),
    (s.unmoved > 0 || s.merged > 0) && h('p', { class: 'advice' }, [s.unmoved > 0 && `${plural(s.unmoved, 'address place')} had no room to move to and stayed. `, s.merged > 0 && `${plural(s.merged, 'short name')} share a pseudonym with others.`].filter(Boolean).join('')),
    h('p', { class: 'quiet' }, 'Pseudonymous is not anonymous: how many threads wait, which Windows modules are on their stacks, and when, is still there.'),
    form,
    h('div', { class: 'bar' }, h('button', { type: 'button', autofocus: true, onclick: () => dialog.close() }, 'Close')));
  dialog.showModal();
}
