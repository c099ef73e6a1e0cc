/** A place in a file, both counted from 1, as in stack traces. */
export interface Position {
  readonly line: number;
  readonly column: number;
}

/** A place in a source, which the map names relative to itself. */
export interface OriginalPosition extends Position {
  readonly source: string;
}

/** The parts of a source map that are used. */
export interface RawSourceMap {
  readonly sources: readonly string[];
  readonly mappings: string;
}

const SEMICOLON = 59;
const COMMA = 44;
/** The value of each base64 digit by its character code. */
const DIGITS = new Uint8Array(128);
for (const [value, digit] of [...'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/'].entries()) DIGITS[digit.charCodeAt(0)] = value;

/**
 * Finds where positions of a generated file come from: the last mapping of the line that begins at or before the column. Goes
 * through the mappings once, keeps none of them and makes no objects: a million would be garbage that no start has room for.
 * Source: https://tc39.es/ecma426/#sec-mappings
 */
export function findOriginals({ sources, mappings }: RawSourceMap, positions: readonly Position[]): (OriginalPosition | undefined)[] {
  const found: (OriginalPosition | undefined)[] = positions.map(() => undefined);
  const last = Math.max(...positions.map(({ line }) => line));
  // Generated column, source, original line and column, name: each is told as the difference to the one before.
  const fields = new Int32Array(5);
  let [line, here] = [1, at(positions, 1)];
  let [field, value, shift] = [0, 0, 0];
  for (let index = 0; index <= mappings.length && line <= last; index++) {
    const code = index < mappings.length ? mappings.charCodeAt(index) : SEMICOLON;
    if (code !== SEMICOLON && code !== COMMA) {
      const digit = DIGITS[code] ?? 0;
      value |= (digit & 31) << shift;
      shift += 5;
      if (digit & 32) continue;
      fields[field] = (fields[field] ?? 0) + (value & 1 ? -(value >>> 1) : value >>> 1);
      field++;
      value = 0;
      shift = 0;
      continue;
    }
    // A mapping has ended. One without a source is a bundler's own code.
    if (field > 0 && here.length > 0) {
      const [column = 0, source = 0, originalLine = 0, originalColumn = 0] = fields;
      for (const each of here) {
        if (column < (positions[each]?.column ?? 0)) found[each] = field < 4 ? undefined : { source: sources[source] ?? '', line: originalLine + 1, column: originalColumn + 1 };
      }
    }
    field = 0;
    if (code === SEMICOLON) {
      fields[0] = 0;
      line++;
      here = at(positions, line);
    }
  }
  return found;
}

const NONE: readonly number[] = [];

/** Which of the positions are in a line. */
function at(positions: readonly Position[], line: number): readonly number[] {
  if (positions.every((position) => position.line !== line)) return NONE;
  return positions.flatMap((position, index) => (position.line === line ? [index] : []));
}
