/** Mixes four bytes into the state. */
function mix(state: number, block: number): number {
  const h = state ^ scramble(block);
  return (Math.imul((h << 13) | (h >>> 19), 5) + 0xe6546b64) | 0;
}

function scramble(block: number): number {
  const k = Math.imul(block, 0xcc9e2d51);
  return Math.imul((k << 15) | (k >>> 17), 0x1b873593);
}

/** MurmurHash3 (x86, 32 bits; Austin Appleby's, in the public domain) of a text in UTF-8, as an unsigned number. */
export function murmur3(text: string, seed: number): number {
  let h = seed | 0;
  // what is ASCII, as ids are, goes four letters at a time
  let at = 0;
  for (; at + 4 <= text.length; at += 4) {
    const a = text.charCodeAt(at);
    const b = text.charCodeAt(at + 1);
    const c = text.charCodeAt(at + 2);
    const d = text.charCodeAt(at + 3);
    if ((a | b | c | d) >= 0x80) break;
    h = mix(h, a | (b << 8) | (c << 16) | (d << 24));
  }
  let block = 0;
  let bytes = at;
  const add = (byte: number) => {
    block |= byte << ((bytes & 3) * 8);
    bytes++;
    if ((bytes & 3) !== 0) return;
    h = mix(h, block);
    block = 0;
  };
  for (; at < text.length; at++) {
    const unit = text.charCodeAt(at);
    if (unit < 0x80) {
      add(unit);
      continue;
    }
    // what is half of a pair without its other half becomes U+FFFD, as in every encoder
    const point = unit >= 0xd800 && unit <= 0xdfff ? pair(text, at) : unit;
    if (point > 0xffff) at++;
    if (point < 0x800) add(0xc0 | (point >> 6));
    else {
      if (point < 0x10000) add(0xe0 | (point >> 12));
      else {
        add(0xf0 | (point >> 18));
        add(0x80 | ((point >> 12) & 0x3f));
      }
      add(0x80 | ((point >> 6) & 0x3f));
    }
    add(0x80 | (point & 0x3f));
  }
  if ((bytes & 3) !== 0) h ^= scramble(block);
  h ^= bytes;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}

function pair(text: string, at: number): number {
  const point = text.codePointAt(at) ?? 0xfffd;
  return point > 0xffff ? point : 0xfffd;
}
