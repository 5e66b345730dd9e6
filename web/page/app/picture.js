// The wait-for graph: drawn by the engine as SVG, moved and enlarged here.

import { h, fill, plural } from './dom.js';

const sheets = new Map(); // style texts of pictures that the page has taken over

/** The style of a picture, which a policy against inline styles would not let in. */
function adopt(text, dark) {
  let sheet = sheets.get(text);
  if (!sheet) {
    sheet = new CSSStyleSheet();
    sheets.set(text, sheet);
    document.adoptedStyleSheets = [...document.adoptedStyleSheets, sheet];
  }
  sheet.replaceSync(text.replaceAll('(prefers-color-scheme:dark)', dark ? '(min-width:0)' : '(max-width:0)'));
}

/** Draws the styles of all pictures in light or dark. */
export function setDark(dark) {
  for (const text of sheets.keys()) adopt(text, dark);
}

function parse(text, dark) {
  const bare = text.replace(/<style>([^<]*)<\/style>/g, (_, style) => {
    adopt(style, dark);
    return '';
  });
  return document.importNode(new DOMParser().parseFromString(bare, 'image/svg+xml').documentElement, true);
}

/** Shows the panels. Selected is called with an address that somebody points at. */
export function pictures(box, { panels, more, legend }, dark, selected) {
  fill(box, panels.map((p, i) => panel(p, dark, selected, i)),
    more && h('p', { class: 'quiet' }, more),
    legend && h('details', { class: 'legend' }, h('summary', {}, 'Legend'), parse(legend, dark)));
}

/** Shows counters over time. */
export function charts(box, list, dark) {
  fill(box, list.map((p, i) => panel(p, dark, () => {}, i, 'Chart')));
}

function panel(p, dark, selected, i, what = 'Picture') {
  const svg = parse(p.svg, dark);
  const width = Number(svg.getAttribute('width'));
  const height = Number(svg.getAttribute('height'));
  svg.removeAttribute('width');
  svg.removeAttribute('height');
  svg.setAttribute('preserveAspectRatio', 'xMidYMin meet');
  const stage = h('div', { class: 'stage' }, svg);
  stage.style.setProperty('--ratio', `${width} / ${height}`);
  stage.style.setProperty('--width', `${width}px`);
  const view = new View(svg, width, height);
  view.bind(stage);
  for (const node of svg.querySelectorAll('.kdp-node')) {
    const address = node.querySelector('.kdp-address')?.textContent;
    if (!address) continue;
    node.setAttribute('tabindex', '0');
    node.setAttribute('role', 'button');
    node.setAttribute('aria-label', `${[...node.querySelectorAll('text')].map((t) => t.textContent).join(' ')}: show its evidence`);
    node.dataset.address = address;
    node.addEventListener('click', () => { if (!view.moved) selected(address); });
    node.addEventListener('keydown', (e) => {
      if (e.key !== 'Enter' && e.key !== ' ') return;
      e.preventDefault();
      selected(address);
    });
  }
  // Buttons within an image are not heard of: what it shows stands below in words.
  svg.setAttribute('role', 'group');
  const button = (label, text, action) => h('button', { type: 'button', 'aria-label': label, title: label, onclick: action }, text);
  return h('figure', { class: 'picture', 'aria-label': `${what} ${i + 1}` },
    h('div', { class: 'zoom' }, button('Enlarge', '+', () => view.zoom(1.3)), button('Make smaller', '−', () => view.zoom(1 / 1.3)), button('Show all of it', '⤢', () => view.reset())),
    stage,
    h('details', {}, h('summary', {}, `In words (${plural(p.words.trim().split('\n').length, 'line')})`), h('pre', { class: 'words', tabindex: '0', role: 'region', 'aria-label': `The ${what.toLowerCase()} in words` }, p.words)));
}

/** Marks the nodes of some addresses in all pictures. */
export function select(box, addresses) {
  for (const node of box.querySelectorAll('[data-address]')) node.classList.toggle('selected', addresses.has(node.dataset.address));
}

/** What part of a picture is in view. */
class View {
  moved = false;
  #svg; #full; #now;

  constructor(svg, width, height) {
    this.#svg = svg;
    this.#full = [0, 0, width, height];
    this.reset();
  }

  reset() { this.#set(...this.#full); }

  #set(x, y, w, hgt) {
    this.#now = [x, y, w, hgt];
    this.#svg.setAttribute('viewBox', this.#now.map((n) => n.toFixed(1)).join(' '));
  }

  /** Enlarges around a point given in shares of the view, its middle by default. */
  zoom(by, sx = 0.5, sy = 0.5) {
    const [x, y, w, hgt] = this.#now;
    const f = Math.min(Math.max(1 / by, this.#full[2] / 40 / w), (this.#full[2] * 2) / w);
    this.#set(x + w * (1 - f) * sx, y + hgt * (1 - f) * sy, w * f, hgt * f);
  }

  pan(dx, dy) {
    const [x, y, w, hgt] = this.#now;
    this.#set(x + dx, y + dy, w, hgt);
  }

  bind(stage) {
    let at;
    stage.addEventListener('wheel', (e) => {
      if (!e.ctrlKey && !e.metaKey) return; // the page scrolls
      e.preventDefault();
      const r = this.#svg.getBoundingClientRect();
      this.zoom(e.deltaY < 0 ? 1.15 : 1 / 1.15, (e.clientX - r.left) / r.width, (e.clientY - r.top) / r.height);
    }, { passive: false });
    stage.addEventListener('pointerdown', (e) => {
      if (e.button !== 0) return;
      at = [e.clientX, e.clientY];
      this.moved = false;
    });
    stage.addEventListener('pointermove', (e) => {
      if (!at || e.buttons === 0) return;
      const [dx, dy] = [e.clientX - at[0], e.clientY - at[1]];
      if (!this.moved && Math.hypot(dx, dy) < 4) return;
      if (!this.moved) stage.setPointerCapture(e.pointerId);
      this.moved = true;
      at = [e.clientX, e.clientY];
      const scale = this.#now[2] / this.#svg.clientWidth;
      this.pan(-dx * scale, -dy * scale);
    });
    for (const end of ['pointerup', 'pointercancel']) stage.addEventListener(end, () => { at = undefined; });
  }
}
