// The keyboard. Keys without Ctrl or Alt are only heard where nobody types.

export const keys = [
  ['?', 'this list'], ['/', 'find in the input'], ['j, k', 'next, previous finding'], ['n', 'next piece of evidence'],
  ['e', 'examples'], ['1, 2, 3', 'analyse, compare, own rules'], ['d', 'light or dark'], ['Esc', 'leave a field or dialog'],
];

export function bindKeys(on) {
  const actions = {
    '?': on.help, '/': on.find, j: () => on.finding(1), k: () => on.finding(-1), n: on.evidence, e: on.examples,
    1: () => on.choose('one'), 2: () => on.choose('compare'), 3: () => on.choose('rules'), d: on.theme,
  };
  addEventListener('keydown', (e) => {
    if (e.ctrlKey || e.altKey || e.metaKey || document.querySelector('dialog[open]')) return;
    const types = e.target.matches?.('input, textarea, select, [contenteditable]');
    if (e.key === 'Escape' && types) {
      e.target.blur();
      return;
    }
    if (types || !actions[e.key]) return;
    e.preventDefault();
    actions[e.key]();
  });
}
