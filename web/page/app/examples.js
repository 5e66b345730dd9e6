// Examples by name, one for each kind of verdict. An offline page has them with it.

import { h } from './dom.js';

let files; // of an offline page: name -> text

async function get(name) {
  files ??= globalThis.kdlocksParts?.examples;
  if (files) {
    if (!(name in files)) throw new Error('no such example');
    return files[name];
  }
  if (!/^[\w.-]+$/.test(name)) throw new Error('no such example');
  const answer = await fetch(`examples/${name}`);
  if (!answer.ok) throw new Error(`${answer.status}`);
  return answer.text();
}

const kept = new Map();

/** Lists the examples, and fetches them all while the server is there. */
export async function listExamples(box) {
  const list = JSON.parse(await get('index.json'));
  for (const e of list) box.append(h('option', { value: e.file }, e.name));
  for (const e of list) get(e.file).then((text) => kept.set(e.file, text), () => {});
}

export const example = async (file) => kept.get(file) ?? get(file);
