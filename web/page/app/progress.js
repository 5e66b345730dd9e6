// What takes long says how far it is and can be stopped.

import { $, fill, bytes } from './dom.js';

const patience = 250; // milliseconds until something counts as long
let running; // the last that was begun

/** Does something that may take long. Work gets what to tell its progress to; stop is
 * called when somebody does not want to wait. */
export async function task(work, stop) {
  const me = { stop };
  running = me;
  told({ stage: 'working', done: 0, total: 0 });
  const late = setTimeout(() => { if (running === me) $('progress').hidden = false; }, patience);
  try {
    return await work((p) => { if (running === me) told(p); });
  } finally {
    clearTimeout(late);
    if (running === me) {
      running = undefined;
      $('progress').hidden = true;
    }
  }
}

export const cancel = () => running?.stop();

function told({ stage, done, total }) {
  const bar = $('bar');
  if (total > 0) {
    bar.max = total;
    bar.value = done;
  } else bar.removeAttribute('value');
  fill($('stage'), stage, done > 0 && ` ${bytes(done)}${total > 0 ? ` of ${bytes(total)}` : ''}`);
}
