// What is dropped: files, and the files of folders as far down as they go.

/** Files of folders beyond this many are left where they are. */
const mostFiles = 2000;

/** Returns the files that were dropped, those of folders named by their paths. It must be
 * called while the drop is told of: what was dropped is gone afterwards. */
export function dropped(data) {
  const plain = [...data.files];
  const entries = [...data.items].filter((i) => i.kind === 'file').map((i) => i.webkitGetAsEntry?.()).filter(Boolean);
  if (!entries.some((e) => e.isDirectory)) return Promise.resolve(plain);
  return walk(entries);
}

async function walk(entries) {
  const out = [];
  for (const e of entries) {
    if (out.length >= mostFiles) break;
    if (e.isDirectory) out.push(...await walk(await content(e)));
    else out.push(await file(e));
  }
  return out.slice(0, mostFiles);
}

/** Lists a folder; it is told in pieces. */
async function content(folder) {
  const reader = folder.createReader();
  const out = [];
  for (;;) {
    const some = await new Promise((resolve, reject) => { reader.readEntries(resolve, reject); });
    if (some.length === 0 || out.length >= mostFiles) return out.sort((a, b) => (a.name < b.name ? -1 : 1));
    out.push(...some);
  }
}

async function file(entry) {
  const f = await new Promise((resolve, reject) => { entry.file(resolve, reject); });
  return new File([f], entry.fullPath.replace(/^\//, ''));
}
