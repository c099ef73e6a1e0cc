/** Mixes four bytes into the state. */
function mix(state: number, block: number): number {
  const h = state ^ scramble(block);
  return (Math.imul((h << 13) | (h >>> 19), 5) + 0xe6546b64) | 0;
}

function scramble(block: number): number {
  const k = Math.imul(block, 0xcc9e2d51);
  return Math.imul((k << 15) | (k >>> 17), 0x1b873593);
}

function finish(state: number, bytes: number): number {
  let h = state ^ bytes;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}

/** MurmurHash3 (x86, 32 bits; Austin Appleby's, in the public domain) of a text in UTF-8, as an unsigned number. */
export function murmur3(text: string, seed: number): number {
  let h = seed | 0;
  let at = 0;
  // What is ASCII, as ids are, goes four letters at a time.
  for (; at + 4 <= text.length; at += 4) {
    const a = text.charCodeAt(at);
    const b = text.charCodeAt(at + 1);
    const c = text.charCodeAt(at + 2);
    const d = text.charCodeAt(at + 3);
    if ((a | b | c | d) >= 0x80) return rest(h, text, at);
    h = mix(h, a | (b << 8) | (c << 16) | (d << 24));
  }
  let block = 0;
  for (let left = text.length - 1; left >= at; left--) {
    const unit = text.charCodeAt(left);
    if (unit >= 0x80) return rest(h, text, at);
    block = (block << 8) | unit;
  }
  return finish(at < text.length ? h ^ scramble(block) : h, text.length);
}

const utf8 = new TextEncoder();

/** The same from `at` on, where all before is ASCII and in whole blocks. */
function rest(state: number, text: string, at: number): number {
  const bytes = utf8.encode(text.slice(at));
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let h = state;
  let next = 0;
  for (; next + 4 <= bytes.length; next += 4) h = mix(h, view.getUint32(next, true));
  let block = 0;
  for (let left = bytes.length - 1; left >= next; left--) block = (block << 8) | (bytes[left] ?? 0);
  return finish(next < bytes.length ? h ^ scramble(block) : h, at + bytes.length);
}
