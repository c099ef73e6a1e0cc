/** No varint is longer than ten bytes, so that every decoder of protobuf stops here. */
const NO_TAG = new Uint8Array(11).fill(0xff);

/** A response that was damaged on its way. */
export function corrupted(response: Uint8Array, how: true | 'flip', random: () => number): Uint8Array {
  if (how === true || response.length === 0) return Buffer.concat([NO_TAG, response]);
  const damaged = Buffer.from(response);
  const at = Math.floor(random() * damaged.length);
  damaged[at] = (damaged[at] ?? 0) ^ (1 << Math.floor(random() * 8));
  return damaged;
}

/** How late a call begins, in ms. */
export function delayOf(delay: number, jitter: number | undefined, random: () => number): number {
  return jitter === undefined ? delay : Math.max(0, delay + (random() * 2 - 1) * jitter);
}
