import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { findOriginals, type Position, type RawSourceMap } from './source-map.ts';

/** Positions that were looked up before; a program has few places that fail. */
const MAX_KNOWN = 2_000;

type Prepare = (error: Error, frames: NodeJS.CallSite[]) => unknown;

/** Held only as long as memory is not needed otherwise. */
const maps = new Map<string, WeakRef<RawSourceMap>>();

function mapOf(file: string): RawSourceMap {
  const held = maps.get(file)?.deref();
  if (held) return held;
  const { sources, mappings } = JSON.parse(readFileSync(fileURLToPath(`${file}.map`), 'utf8')) as RawSourceMap;
  const map = { sources, mappings };
  maps.set(file, new WeakRef(map));
  return map;
}

/** Says `file:line:column` of the sources for positions in one bundled file, by the map beside it. */
function lookUp(file: string, positions: readonly Position[]): (string | undefined)[] {
  const map = mapOf(file);
  return findOriginals(map, positions).map((found) => {
    if (!found) return undefined;
    const source = new URL(found.source, file);
    return `${source.protocol === 'file:' ? fileURLToPath(source) : source.href}:${found.line}:${found.column}`;
  });
}

/**
 * Makes stack traces name the lines of the sources. Node's own source map support (`--enable-source-maps`, which wins if it is
 * on) reads all maps at the start and keeps them. Here a map is read when a stack is, for the positions in it.
 */
export function readableStackTraces(): void {
  if (process.sourceMapsEnabled) return;
  const folder = new URL('.', import.meta.url).href;
  const inBundle = new RegExp(`${folder.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&')}[\\w./-]+\\.js:\\d+:\\d+`, 'g');
  const known = new Map<string, string>();
  const before = Error.prepareStackTrace as Prepare | undefined;
  const original: Prepare = before ?? ((error, frames) => [String(error), ...frames.map((frame) => `    at ${String(frame)}`)].join('\n'));

  const learn = (places: ReadonlySet<string>): void => {
    const byFile = new Map<string, { readonly place: string; readonly position: Position }[]>();
    for (const place of places) {
      const [, file = '', line, column] = /^(.*):(\d+):(\d+)$/.exec(place) ?? [];
      byFile.set(file, [...(byFile.get(file) ?? []), { place, position: { line: Number(line), column: Number(column) } }]);
    }
    for (const [file, wanted] of byFile) {
      const found = attempt(() => lookUp(file, wanted.map(({ position }) => position)));
      if (known.size > MAX_KNOWN) known.clear();
      for (const [index, { place }] of wanted.entries()) known.set(place, found?.[index] ?? place);
    }
  };
  Error.prepareStackTrace = (error, frames) => {
    const text = original(error, frames);
    if (typeof text !== 'string') return text;
    const places = new Set(text.match(inBundle));
    for (const place of places) if (known.has(place)) places.delete(place);
    if (places.size > 0) attempt(() => learn(places));
    return text.replace(inBundle, (place) => known.get(place) ?? place);
  };
}

/** A stack trace that names bundled lines is better than none. */
function attempt<T>(work: () => T): T | undefined {
  try {
    return work();
  } catch {
    return undefined;
  }
}
