// The side of the engine, and of what reads for it: runs in a worker of its own, so that the page stays responsive, and
// can be stopped at any time. Before it stand wasm_exec.js of Go's distribution and unpack.

/** Bytes of a piece, as each read waits for the browser, whatever it reads; and how many are
 * kept of one input. The pages of a dump that are read lie all over it. */
const windows = { text: { windowSize: 1 << 22, mostWindows: 80 }, dump: { windowSize: 1 << 20, mostWindows: 160 } };

/** Reads a Blob piece by piece, as the engine asks for it. Lines that facts rest on are
 * read again later, all over the input: pieces are kept. */
function source({ name, blob }, { windowSize, mostWindows }) {
  const files = new FileReaderSync();
  const held = new Map(); // number -> bytes, the one used last behind the others
  const window = (n) => {
    let data = held.get(n);
    if (data) held.delete(n);
    else {
      data = new Uint8Array(files.readAsArrayBuffer(blob.slice(n * windowSize, (n + 1) * windowSize)));
      if (held.size === mostWindows) held.delete(held.keys().next().value);
    }
    held.set(n, data);
    return data;
  };
  const read = (offset, length) => {
    const first = Math.floor(offset / windowSize);
    const at = offset - first * windowSize;
    if (at + length <= windowSize) return window(first).subarray(at, at + length);
    const out = new Uint8Array(length);
    for (let n = first, done = 0; done < length; n++) {
      const from = n === first ? at : 0;
      const piece = window(n).subarray(from, from + length - done);
      if (piece.length === 0) return out.subarray(0, done);
      out.set(piece, done);
      done += piece.length;
    }
    return out;
  };
  return {
    name,
    size: blob.size,
    read(offset, length) {
      try {
        return read(offset, length);
      } catch {
        return null; // the file changed or went away
      }
    },
  };
}

let started;

async function start({ module, packed, tokens, today }) {
  if (!module) {
    const answer = new Promise((resolve) => { tokens.onmessage = ({ data }) => resolve(data); });
    const finish = unpackRest(packed);
    module = await WebAssembly.compile(finish(await answer ?? unpackTokens(packed)));
    self.postMessage({ module });
  }
  const go = new self.Go();
  go.argv = ['kdlocks', today];
  const ready = new Promise((resolve) => { self.kdlocksReady = resolve; });
  const instance = await WebAssembly.instantiate(module, go.importObject);
  go.run(instance).finally(() => self.postMessage({ ended: true }));
  await ready;
}

/** Unpacks half of the engine for the worker that starts it. */
function help({ packed, to }) {
  let tokens;
  try {
    tokens = unpackTokens(packed);
  } catch { /* that worker fails with the same mistake, and says so */ }
  to.postMessage(tokens, tokens ? [tokens.buffer] : []);
  self.close();
}

self.onmessage = async ({ data }) => {
  if (data.to) {
    help(data);
    return;
  }
  if (data.today) {
    started = start(data).then(() => self.postMessage({ ready: true }), (e) => self.postMessage({ failed: e.message }));
    return;
  }
  await started;
  let last = 0;
  const progress = (stage, done, total) => {
    const now = performance.now();
    if (now - last < 50) return;
    last = now;
    self.postMessage({ id: data.id, progress: { stage, done, total } });
  };
  let out;
  try {
    out = self.kdlocksCall(data.call, JSON.stringify(data.args), data.inputs.map((i) => source(i, windows[data.call === 'walk' ? 'dump' : 'text'])), progress);
  } catch { // calls within each other beyond what the browser bears: the program cannot go on
    self.postMessage({ ended: true });
    return;
  }
  if (out.bytes) self.postMessage({ id: data.id, bytes: out.bytes }, [out.bytes.buffer]);
  else self.postMessage({ id: data.id, error: out.error, kind: out.kind });
};
