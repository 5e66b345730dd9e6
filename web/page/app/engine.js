// Two ways to the same engine: WebAssembly in a worker, or the API of the program that
// serves the page, where it was built without.

const today = () => new Date().toLocaleDateString('sv'); // as 2026-11-21

/** What a call failed with. Kind is a word of the engine. */
class EngineError extends Error {
  constructor(message, kind) {
    super(message);
    this.kind = kind;
  }
}

const decoder = new TextDecoder();

/** Answers as JSON. */
export const asJSON = (data) => JSON.parse(decoder.decode(data));
export const asText = (data) => decoder.decode(data);

/** Reads crash dumps and the YAML of rule files, which is another program than the engine: it
 * is loaded for them alone, and makes of each what the engine reads. */
class Extras {
  #load; // of the packed program
  #script;
  #packed;
  #module;
  #read = new WeakMap(); // File -> Blob of what was read of the dump
  #parsed = new Map(); // the text of a rule file -> what was made of it
  #parser; // the worker that does that, as long as rules are edited
  #last = Promise.resolve();

  constructor(load, script) {
    this.#load = load;
    this.#script = script;
  }

  /** Reports whether a file begins as dumps do. */
  static async isDump(blob) {
    if (!(blob instanceof File) || blob.size < 4096) return false;
    return /^PAGEDU(64|MP)$/.test(await blob.slice(0, 8).text().catch(() => ''));
  }

  /** Returns what the engine takes for a dump. Begun is called with the worker that reads it. */
  async text(input, progress, begun) {
    const known = this.#read.get(input.blob);
    if (known) return known;
    await this.prepare().catch((e) => {
      throw new EngineError(`${input.name} is a crash dump, and the reader of dumps cannot be loaded: ${e.message}`, 'start');
    });
    const reader = this.#worker();
    begun(reader);
    try {
      const text = new Blob([await reader.call('walk', {}, [input], progress)]);
      this.#read.set(input.blob, text);
      this.#module = reader.module;
      return text;
    } catch (e) {
      throw e.kind === 'cancelled' ? e : new EngineError(`${input.name}: ${e.message}`, e.kind);
    } finally {
      begun();
      reader.close(); // its memory is as large as it ever was
    }
  }

  /** Returns rule files with what the engine takes for their YAML. Without it the engine
   * says that it is missing, and asks the other rules. */
  rules(files) {
    this.#last = this.#last.then(() => this.#rules(files)); // which does not fail
    return this.#last;
  }

  async #rules(files) {
    const parsed = new Map(); // those of other texts are let go
    for (const { name, text } of files) {
      const form = this.#parsed.get(text) ?? await this.#parse(name, text).catch(() => undefined);
      if (form !== undefined) parsed.set(text, form);
    }
    this.#parsed = parsed;
    return files.map((f) => ({ ...f, parsed: parsed.get(f.text) }));
  }

  /** Loads the program before it is needed. */
  async prepare() { this.#packed ??= await this.#load(); }

  #worker() { return new WorkerEngine(this.#packed, this.#script, undefined, this.#module); }

  async #parse(name, text) {
    await this.prepare();
    const parser = this.#parser ??= this.#worker();
    let again = false;
    try {
      const form = asText(await parser.call('parse', {}, [{ name, blob: new Blob([text]) }]));
      this.#module = parser.module;
      again = text.length < 1 << 16; // beyond, its memory is let go
      return form;
    } finally {
      if (!again && parser === this.#parser) {
        this.#parser = undefined;
        parser.close();
      }
    }
  }
}

/** A program in a worker: the engine, or what reads for it. */
class WorkerEngine {
  name = 'browser';
  #packed;
  #module; // compiled once: the first worker unpacks it
  #script;
  #worker;
  #extras; // of the engine
  #reading; // the worker that reads for it
  #calls = new Map();
  #next = 1;
  #stops = 0;

  /** Packed is the engine as it was loaded, script the URL of the worker. */
  constructor(packed, script, extras, module) {
    this.#packed = packed;
    this.#script = script;
    this.#extras = extras;
    this.#module = module;
    this.ready = this.#start();
  }

  /** Another worker, for what should not end with the case, nor wait for what is asked of it. */
  aside() { return new WorkerEngine(this.#packed, this.#script, this.#extras, this.#module); }

  get module() { return this.#module; }

  /** Lets the worker go. */
  close() { this.#worker.terminate(); }

  /** Loads what may be needed soon. */
  async prepare() { await this.#extras?.prepare(); }

  /** Called when the case is gone, for whatever reason. */
  lost() {}

  #start() {
    const worker = new Worker(this.#script);
    this.#worker = worker;
    return new Promise((resolve, reject) => {
      let runs = false;
      // One that does not even start would not another time.
      const ended = (why) => {
        if (!runs) reject(new EngineError(why, 'start'));
        else if (worker === this.#worker) this.#lose(why);
      };
      worker.onerror = (e) => ended(e.message || 'the engine stopped');
      worker.onmessage = ({ data }) => {
        if (data.module) this.#module = data.module;
        else if (data.ready) {
          runs = true;
          resolve();
        } else if (data.failed) ended(data.failed);
        else if (data.ended) ended(runs ? 'the engine ran out of memory or stopped; the input may be too large for this browser' : 'the engine stops as soon as it starts');
        else this.#answer(data);
      };
      if (this.#module) worker.postMessage({ module: this.#module, today: today() });
      else {
        // A second worker unpacks half of the engine at the same time.
        const { port1, port2 } = new MessageChannel();
        new Worker(this.#script).postMessage({ packed: this.#packed, to: port1 }, [port1]);
        worker.postMessage({ packed: this.#packed, tokens: port2, today: today() }, [port2]);
      }
    });
  }

  #answer(data) {
    const call = this.#calls.get(data.id);
    if (!call) return;
    if (data.progress) {
      call.progress?.(data.progress);
      return;
    }
    this.#calls.delete(data.id);
    if (data.bytes) call.resolve(data.bytes);
    else call.reject(new EngineError(data.error, data.kind));
  }

  /** Ends everything that runs and begins anew, without a case. */
  #lose(why, kind = 'lost') {
    this.#worker.terminate();
    const calls = [...this.#calls.values()];
    this.#calls.clear();
    this.ready = this.#start();
    this.ready.catch(() => {});
    for (const c of calls) c.reject(new EngineError(why, kind));
    this.lost();
  }

  /** Ends what runs, and what waits for the engine to be ready. */
  cancel() {
    this.#stops++;
    this.#reading?.cancel();
    if (this.#calls.size > 0) this.#lose('stopped', 'cancelled');
  }

  async call(name, args = {}, inputs = [], progress) {
    const stops = this.#stops;
    await this.ready;
    if (this.#extras && inputs.length > 0) inputs = await this.#texts(inputs, progress);
    if (this.#extras && args.rules?.length > 0) args = { ...args, rules: await this.#extras.rules(args.rules) };
    if (stops !== this.#stops) throw new EngineError('stopped', 'cancelled');
    return new Promise((resolve, reject) => {
      const id = this.#next++;
      this.#calls.set(id, { resolve, reject, progress });
      this.#worker.postMessage({ id, call: name, args, inputs });
    });
  }

  /** The inputs, with what was read of each dump in its place. */
  async #texts(inputs, progress) {
    const out = [];
    for (const input of inputs) {
      const text = await Extras.isDump(input.blob) && await this.#extras.text(input, progress, (reader) => { this.#reading = reader; });
      out.push(text ? { ...input, blob: text } : input);
    }
    return out;
  }
}

/** The engine behind the API. It keeps nothing: each call takes the inputs along. */
class ServerEngine {
  name = 'server';
  ready = Promise.resolve();
  #inputs = [];
  #args = {};
  #fresh; // names of the calls that need no case
  #stop = new AbortController();

  constructor(fresh) { this.#fresh = fresh; }

  aside() { return new ServerEngine(this.#fresh); }

  async prepare() {}

  close() { this.cancel(); }

  cancel() {
    this.#stop.abort();
    this.#stop = new AbortController();
  }

  async call(name, args = {}, inputs = []) {
    if (name === 'analyze') {
      this.#inputs = inputs;
      this.#args = args;
    }
    const needsCase = !this.#fresh.includes(name);
    const form = new FormData();
    form.append('args', JSON.stringify(args));
    if (needsCase) form.append('analyze', JSON.stringify(this.#args));
    for (const i of needsCase ? this.#inputs : inputs) form.append('file', i.blob, i.name);
    const answer = await this.#ask(`api/v1/page/${name}`, form);
    if (answer.ok) return new Uint8Array(await answer.arrayBuffer());
    let detail = answer.statusText;
    try { detail = (await answer.json()).detail ?? detail; } catch { /* no problem document */ }
    throw new EngineError(detail, answer.status === 409 ? 'no-case' : 'error');
  }

  /** Sends a form, and asks for the token as often as the server wants another. */
  async #ask(url, form) {
    for (;;) {
      const sent = tokens.value;
      let answer;
      try {
        answer = await fetch(url, { method: 'POST', body: form, signal: this.#stop.signal, headers: sent ? { Authorization: `Bearer ${sent}` } : {} });
      } catch (e) {
        if (e.name === 'AbortError') throw new EngineError('stopped', 'cancelled');
        throw new EngineError('the program that serves this page does not answer; is it still running?', 'network');
      }
      if (answer.status !== 401) return answer;
      if (tokens.value === sent && !await tokens.ask(sent !== '')) throw new EngineError('this server asks for the token that it was started with', 'token');
    }
  }
}

/** The token of the server, which all engines share. It is kept until the page is closed. */
export const tokens = {
  value: '',
  /** Asks for it once for all that wait; wrong says that the one before was refused. */
  ask(wrong) {
    this.asking ??= this.dialog(wrong).then((token) => {
      this.value = token;
      return token !== '';
    }).finally(() => { this.asking = undefined; });
    return this.asking;
  },
  /** Shows the question; the page puts its own here. */
  dialog: async () => '',
};

async function load(url) {
  const answer = await fetch(url);
  if (!answer.ok) throw new EngineError(`the engine cannot be loaded: ${answer.status}`, 'start');
  return new Uint8Array(await answer.arrayBuffer());
}

async function text(url) {
  const answer = await fetch(url);
  if (!answer.ok) throw new EngineError(`${url}: ${answer.status}`, 'start');
  return answer.text();
}

/** Starts the engine that there is. An offline page brings its parts along. */
export async function startEngine(parts) {
  const url = (script) => URL.createObjectURL(new Blob([script], { type: 'text/javascript' }));
  if (parts) {
    const script = url(parts.script);
    return new WorkerEngine(parts.packed, script, new Extras(async () => parts.extras, script));
  }
  const config = JSON.parse(await text('config.json'));
  if (!config.engine) return new ServerEngine(config.fresh);
  const [packed, glue, worker] = await Promise.all([load(config.engine), text('engine.js'), text('app/worker.js')]);
  const script = url(`${glue}\n${worker}`);
  // The program on this machine may be stopped while the page is used.
  const near = /^(localhost|127\.\d+\.\d+\.\d+|\[::1\])$/.test(location.hostname) && load(config.extras).catch(() => null);
  return new WorkerEngine(packed, script, new Extras(async () => await near || load(config.extras), script));
}
