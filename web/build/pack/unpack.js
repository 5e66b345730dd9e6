// Makes the WebAssembly module that package pack compressed.

// unpack returns the bytes of the module.
export function unpack(packed) {
  return unpackRest(packed)(unpackTokens(packed));
}

// The two halves of the work can be done side by side.
const restAt = 12;
const restEnd = (head) => restAt + head.getUint32(8, true);

// unpackTokens returns what the code is written as.
function unpackTokens(packed) {
  return unlzma(packed.subarray(restEnd(new DataView(packed.buffer, packed.byteOffset))));
}

// unpackRest unpacks all else, and returns what makes the module with the tokens.
function unpackRest(packed) {
  const head = new DataView(packed.buffer, packed.byteOffset);
  const [size, table] = [0, 4].map((at) => head.getUint32(at, true));
  const rest = unlzma(packed.subarray(restAt, restEnd(head)));
  restoreTable(new DataView(rest.buffer, table));
  return (tokens) => join(rest, size, (out, at) => writeCode(tokens, out, at));
}

// unlzma decodes a .lzma file whose size is known.
function unlzma(b) {
  const view = new DataView(b.buffer, b.byteOffset);
  const lc = b[0] % 9, pb = Math.floor(b[0] / 45);
  const out = new Uint8Array(view.getUint32(5, true));
  const probs = new Uint16Array(2048 + (0x300 << lc)).fill(1024);
  // Where the models are: each position has room for what the format can have.
  const MATCH = 0, REP = 192, REP0 = 204, REP1 = 216, REP2 = 228, LONG = 240, SLOT = 432, SPECIAL = 688, ALIGN = 816;
  const LEN = 832, REPLEN = 1346, LITERAL = 2048;
  // The range and the code of the arithmetic decoder: whole words, which variables
  // that several functions share would not be.
  const word = new Uint32Array([-1, view.getUint32(14)]);
  let from = 18;

  function bit(at) {
    const p = probs[at], bound = (word[0] >>> 11) * p;
    let set = 0;
    if (word[1] < bound) {
      word[0] = bound;
      probs[at] = p + ((2048 - p) >> 5);
    } else {
      word[0] -= bound;
      word[1] -= bound;
      probs[at] = p - (p >> 5);
      set = 1;
    }
    if (word[0] < 0x1000000) {
      word[0] <<= 8;
      word[1] = (word[1] << 8) | b[from++];
    }
    return set;
  }
  // tree reads bits, the highest first, each by those before it; matched is what
  // the literal behind a match would be, -1 elsewhere.
  function tree(at, bits, matched) {
    let range = word[0], code = word[1], next = from;
    let v = 1, offset = matched < 0 ? 0 : 0x100;
    for (; bits > 0; bits--) {
      matched <<= 1;
      const want = matched & offset, model = at + offset + want + v;
      const p = probs[model], bound = (range >>> 11) * p;
      if (code < bound) {
        range = bound;
        probs[model] = p + ((2048 - p) >> 5);
        v <<= 1;
        offset &= ~matched;
      } else {
        range -= bound;
        code -= bound;
        probs[model] = p - (p >> 5);
        v = (v << 1) | 1;
        offset &= matched;
      }
      if (range < 0x1000000) {
        range = (range << 8) >>> 0;
        code = ((code << 8) | b[next++]) >>> 0;
      }
    }
    word[0] = range;
    word[1] = code;
    from = next;
    return v;
  }
  function reverse(at, bits) {
    let v = 1, sum = 0;
    for (let i = 0; i < bits; i++) {
      const x = bit(at + v);
      v = (v << 1) | x;
      sum |= x << i;
    }
    return sum;
  }
  function direct(bits) {
    let v = 0;
    for (; bits > 0; bits--) {
      word[0] >>>= 1;
      let x = 0;
      if (word[1] >= word[0]) {
        word[1] -= word[0];
        x = 1;
      }
      if (word[0] < 0x1000000) {
        word[0] <<= 8;
        word[1] = (word[1] << 8) | b[from++];
      }
      v = (v << 1) | x;
    }
    return v;
  }
  function length(at, posState) {
    if (!bit(at)) return tree(at + 2 + (posState << 3), 3, -1) - 6;
    if (!bit(at + 1)) return tree(at + 130 + (posState << 3), 3, -1) + 2;
    return tree(at + 258, 8, -1) - 238;
  }
  function distance(n) {
    const slot = tree(SLOT + (Math.min(n - 2, 3) << 6), 6, -1) - 64;
    if (slot < 4) return slot;
    const bits = (slot >> 1) - 1, base = (2 | (slot & 1)) << bits;
    if (slot < 14) return base + reverse(SPECIAL + base - slot, bits);
    return base + (direct(bits - 4) << 4) + reverse(ALIGN, 4);
  }

  let state = 0, d0 = 0, d1 = 0, d2 = 0, d3 = 0;
  for (let at = 0; at < out.length;) {
    const posState = at & ((1 << pb) - 1);
    if (!bit(MATCH + (state << 4) + posState)) {
      const model = LITERAL + (at ? out[at - 1] >> (8 - lc) : 0) * 0x300;
      out[at] = tree(model, 8, state < 7 ? -1 : out[at - d0 - 1]);
      at++;
      state = state < 4 ? 0 : state < 10 ? state - 3 : state - 6;
      continue;
    }
    let n;
    if (bit(REP + state)) {
      if (!bit(REP0 + state)) {
        if (!bit(LONG + (state << 4) + posState)) {
          state = state < 7 ? 9 : 11;
          out[at] = out[at - d0 - 1];
          at++;
          continue;
        }
      } else {
        let d = d1;
        if (bit(REP1 + state)) {
          d = d2;
          if (bit(REP2 + state)) {
            d = d3;
            d3 = d2;
          }
          d2 = d1;
        }
        d1 = d0;
        d0 = d;
      }
      n = length(REPLEN, posState);
      state = state < 7 ? 8 : 11;
    } else {
      d3 = d2;
      d2 = d1;
      d1 = d0;
      n = length(LEN, posState);
      d0 = distance(n);
      state = state < 7 ? 7 : 10;
    }
    if (n > out.length - at || d0 >= at) throw new Error("the engine is damaged");
    const copied = at - d0 - 1;
    for (let i = 0; i < n; i++) out[at + i] = out[copied + i];
    at += n;
  }
  return out;
}

// restoreTable writes the entries of the functions of Go in rows again (columns.go).
function restoreTable(t) {
  const count = t.getUint32(8, true), list = t.getUint32(64, true);
  const first = t.getUint32(list + 4, true);
  const fields = [];
  const sizes = new Uint32Array(count).fill(44);
  let at = list + first;
  const number = () => {
    let v = 0;
    for (let shift = 0; ; shift += 7) {
      const c = t.getUint8(at++);
      v |= (c & 127) << shift;
      if (c < 128) return v >>> 0;
    }
  };
  // Where the next name and the next table are (parts.go).
  let name = t.getUint32(32, true) + 1, table = t.getUint32(56, true) + 1;
  const nextName = () => {
    const from = name;
    while (t.getUint8(name++));
    return from - t.getUint32(32, true);
  };
  const nextTable = () => {
    const from = table;
    do {
      for (let numbers = 0; numbers < 2; table++) if (t.getUint8(table) < 128) numbers++;
    } while (t.getUint8(table));
    table++;
    return from - t.getUint32(56, true);
  };
  for (let field = 0, more = true; more; field++) {
    const column = new Uint32Array(count);
    let before = 0;
    more = false;
    for (let i = 0; i < count; i++) {
      if (4 * field >= sizes[i]) continue;
      more = true;
      const coded = number();
      if (coded === 0) continue;
      if (field === 1) {
        column[i] = nextName();
      } else if (field === 4 || (field > 10 && field - 11 < fields[7][i])) {
        column[i] = nextTable();
      } else if (coded === 1) {
        column[i] = 0xffffffff;
      } else {
        const z = coded - 2;
        before = (before + ((z >>> 1) ^ -(z & 1))) >>> 0;
        column[i] = before;
      }
    }
    fields.push(column);
    // The eighth field and the last byte of the eleventh are how many more there are.
    if (field === 10) for (let i = 0; i < count; i++) sizes[i] += 4 * (fields[7][i] + (column[i] >>> 24));
  }
  for (let i = 0, row = first; i < count; i++) {
    t.setUint32(list + 8 * i, fields[0][i], true);
    t.setUint32(list + 8 * i + 4, row, true);
    let k = 0;
    for (; 4 * k < sizes[i]; k++) t.setUint32(list + row + 4 * k, fields[k][i], true);
    for (; k & 1; k++) t.setUint32(list + row + 4 * k, 0, true);
    row += 4 * k;
  }
}

// uleb writes a number at a place and returns what comes behind it.
function uleb(out, at, v) {
  for (; v > 127; v >>>= 7) out[at++] = (v & 127) | 128;
  out[at++] = v;
  return at;
}

// join puts a module together from sections, of which that of the code is written by
// another function.
function join(rest, size, writeCode) {
  const out = new Uint8Array(rest.length + size + 65536);
  let from = 8, at = 8;
  const number = () => {
    let v = 0;
    for (let shift = 0; ; shift += 7) {
      const c = rest[from++];
      v += (c & 127) * 2 ** shift;
      if (c < 128) return v;
    }
  };
  out.set(rest.subarray(0, 8));
  while (from < rest.length) {
    const id = rest[from++], length = number(), body = rest.subarray(from, from + length);
    from += length;
    if (id === 10) {
      out[at++] = id;
      const begin = uleb(out, at, size);
      at = writeCode(out, begin);
      if (at !== begin + size) throw new Error("the engine is damaged");
      continue;
    }
    let listed = [];
    if (id === 0x89) {
      // One list: its place behind an i32.const, how many functions, the first of them.
      let p = 3;
      while (body[p++] > 127);
      const numbers = [0, 0];
      p++;
      for (const k of [0, 1]) {
        for (let shift = 0, c = 128; c > 127; shift += 7) {
          c = body[p++];
          numbers[k] |= (c & 127) << shift;
        }
      }
      listed = new Uint8Array(5 * numbers[0]);
      let end = 0;
      for (let i = 1; i < numbers[0]; i++) end = uleb(listed, end, numbers[1] + i);
      listed = listed.subarray(0, end);
    }
    out[at++] = id & 127;
    at = uleb(out, at, length + listed.length);
    out.set(body, at);
    out.set(listed, at + length);
    at += length + listed.length;
  }
  return out.subarray(0, at);
}

// writeCode writes the functions that tokens stand for (tokens.go).
function writeCode(tokens, out, at) {
  let from = 0;
  let scratch = new Uint8Array(1 << 20), to = 0; // one function
  const room = (n) => {
    if (to + n < scratch.length) return;
    const larger = new Uint8Array(2 * (scratch.length + n));
    larger.set(scratch);
    scratch = larger;
  };
  const number = () => {
    let c = tokens[from++];
    if (c < 128) return c;
    let v = c & 127;
    for (let shift = 7; c > 127; shift += 7) {
      c = tokens[from++];
      v |= (c & 127) << shift;
    }
    return v >>> 0;
  };
  const copyNumber = () => {
    while ((scratch[to++] = tokens[from++]) > 127);
  };
  const put = (v) => {
    to = uleb(scratch, to, v);
  };
  const putSigned = (v) => {
    for (; v < -64 || v > 63; v = Math.floor(v / 128)) scratch[to++] = (v & 127) | 128;
    scratch[to++] = v & 127;
  };
  const write = (bytes) => {
    for (let i = 0; i < bytes.length; i++) scratch[to++] = bytes[i];
  };

  function call(depth, place) {
    write(BEFORE_PLACE);
    putSigned(place);
    write(BEFORE_CALL);
    copyNumber();
    write(BEHIND_CALL);
    put(depth + 1);
  }

  function body(index) {
    let blocks = 0, open = 0, nested = 0, ends = 1, first = null;
    if ((tokens[from] & 0xfc) === 0xf8) {
      const traits = tokens[from++];
      if (traits & 1) write([0x23, 0, 0x21, 1]);
      if (traits & 2) write([0x02, 0x40]);
      write([0x03, 0x40]);
      blocks = open = number();
      for (let i = 0; i < blocks; i++) {
        scratch[to++] = 0x02;
        scratch[to++] = 0x40;
      }
      ends = blocks + 2 + ((traits >> 1) & 1);
      const entries = number();
      room(2 * blocks + 3 * entries + 4096);
      write([0x20, 0, 0x0e]);
      put(entries - 1);
      first = new Uint32Array(blocks);
      for (let b = 0, entry = 0; b < blocks; b++) {
        first[b] = entry;
        const next = b === blocks - 1 ? entries : entry + number() + 1;
        for (; entry < next; entry++) put(b);
      }
    }
    while (ends) {
      if (from >= tokens.length) throw new Error("the engine is damaged");
      room(4096);
      const op = tokens[from++];
      if (op >= 0xc5 && op <= 0xea) {
        scratch[to++] = op < 0xdb ? 0x20 : 0x21;
        scratch[to++] = op < 0xdb ? op - 0xc5 : op - 0xdb;
        continue;
      }
      if (op >= 0x28 && op <= 0x3e) {
        const v = number();
        scratch[to++] = op;
        scratch[to++] = ALIGNMENTS[op - 0x28];
        put(v & 1 ? v >>> 1 : (v << 2) >>> 0);
        continue;
      }
      switch (op) {
        case 0xf0:
          call(open + nested, ((0x1000 + index) * 65536) + first[blocks - open]);
          scratch[to++] = 0x0b;
          open--;
          ends--;
          continue;
        case 0xf1: {
          let back = 0, shift = 0, c;
          do {
            c = tokens[from++];
            back |= (c & 127) << shift;
            shift += 7;
          } while (c > 127);
          if (c & 64) back |= -1 << shift;
          call(open + nested, ((0x1000 + index) * 65536) + first[Math.max(blocks - open - 1, 0)] + back);
          continue;
        }
        case 0xf2:
          scratch[to++] = 0x41;
          putSigned(first[blocks - open - 1 - number()]);
          write(JUMP);
          put(open + nested);
          continue;
        case 0xf3:
          write(BEFORE_FRAME);
          putSigned(number());
          write(BEHIND_FRAME);
          continue;
        case 0xf4:
          scratch[to++] = 0x0d;
          put(open + nested + 1);
          continue;
      }
      scratch[to++] = op;
      switch (op) {
        case 0x02: case 0x03: case 0x04:
          nested++;
          scratch[to++] = tokens[from++];
          break;
        case 0x0b:
          if (nested) {
            nested--;
          } else {
            open--;
            ends--;
          }
          break;
        case 0x0c: case 0x0d: case 0x10: case 0x20: case 0x21: case 0x22: case 0x23: case 0x24: case 0x41: case 0x42:
          copyNumber();
          break;
        case 0x0e: {
          const labels = number();
          room(5 * labels + 4096);
          put(labels);
          for (let i = 0; i <= labels; i++) copyNumber();
          break;
        }
        case 0x11:
          scratch[to++] = tokens[from++];
          scratch[to++] = tokens[from++];
          break;
        case 0x3f: case 0x40:
          scratch[to++] = tokens[from++];
          break;
        case 0x43: case 0x44:
          for (let i = op === 0x43 ? 4 : 8; i > 0; i--) scratch[to++] = tokens[from++];
          break;
        case 0xfc: {
          const sub = tokens[from++];
          scratch[to++] = sub;
          for (let i = sub === 10 ? 2 : sub === 11 ? 1 : 0; i > 0; i--) scratch[to++] = tokens[from++];
          break;
        }
      }
    }
  }

  const count = number();
  at = uleb(out, at, count);
  for (let index = 0; index < count; index++) {
    to = 0;
    const groups = number();
    put(groups);
    for (let i = 0; i < groups; i++) {
      copyNumber();
      scratch[to++] = tokens[from++];
    }
    body(index);
    at = uleb(out, at, to);
    out.set(scratch.subarray(0, to), at);
    at += to;
  }
  return at;
}

// What the compiler writes around a call, a jump back and a return.
const BEFORE_PLACE = [0x20, 1, 0x41, 8, 0x6b, 0x22, 1, 0x24, 0, 0x20, 1, 0x42];
const BEFORE_CALL = [0x37, 3, 0, 0x41, 0, 0x10];
const BEHIND_CALL = [0x23, 0, 0x21, 1, 0x0d];
const JUMP = [0x21, 0, 0x0c];
const BEFORE_FRAME = [0x20, 1, 0x41];
const BEHIND_FRAME = [0x6a, 0x22, 1, 0x24, 0, 0x41, 0, 0x0f];
// The alignment of each access to memory, from opcode 0x28 on.
const ALIGNMENTS = [2, 3, 2, 3, 0, 0, 1, 1, 0, 0, 1, 1, 2, 2, 2, 3, 2, 3, 0, 1, 0, 1, 2];
