// Asks for the token of the server, in a dialog of its own: it can come up in any other.

import { h } from './dom.js';

/** Resolves to the token, '' when nobody gives one. */
export function askToken(wrong) {
  return new Promise((resolve) => {
    const field = h('input', { type: 'password', id: 'token', autocomplete: 'off', 'aria-describedby': wrong && 'token-wrong' });
    const dialog = h('dialog', { 'aria-labelledby': 'token-title', onclose: () => {
      dialog.remove();
      resolve(dialog.returnValue === 'go' ? field.value : '');
    } }, h('form', { method: 'dialog' },
      h('h2', { id: 'token-title' }, 'Token'),
      wrong && h('p', { class: 'advice bad', id: 'token-wrong', role: 'alert' }, 'The server refused that token.'),
      h('p', {}, h('label', { for: 'token' }, 'This server asks for the token that it was started with. It is kept until this page is closed.')), field,
      h('div', { class: 'bar' }, h('button', { value: 'go' }, 'Go on'), h('button', { value: '', type: 'submit', formnovalidate: true }, 'Cancel'))));
    document.body.append(dialog);
    dialog.showModal();
  });
}
