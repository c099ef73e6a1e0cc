import { type Compare } from '../messages.ts';
import { NO_LEASE, rangeOf, type KeyRecord } from './record.ts';
import { type Reader } from './store.ts';

const VALUE_TARGET = 3;

const order = (a: bigint | number, b: bigint | number): number => (a < b ? -1 : a > b ? 1 : 0);

/** How the record's field compares to the one in the request; a field that is missing there counts as zero. */
function compareField(compare: Compare, record: KeyRecord | undefined): number {
  switch (compare.target ?? 0) {
    case 0:
      return order(record?.version ?? 0, BigInt(compare.version ?? 0));
    case 1:
      return order(record?.create ?? 0, BigInt(compare.create_revision ?? 0));
    case 2:
      return order(record?.mod ?? 0, BigInt(compare.mod_revision ?? 0));
    case VALUE_TARGET:
      return Buffer.compare(record?.value ?? Buffer.alloc(0), compare.value ?? Buffer.alloc(0));
    case 4:
      return order(BigInt(record?.lease ?? NO_LEASE), BigInt(compare.lease ?? 0));
    default:
      return 0;
  }
}

function holdsFor(compare: Compare, record: KeyRecord | undefined): boolean {
  const result = compareField(compare, record);
  switch (compare.result ?? 0) {
    case 0:
      return result === 0;
    case 1:
      return result > 0;
    case 2:
      return result < 0;
    case 3:
      return result !== 0;
    default:
      return true;
  }
}

/** Whether a comparison holds for all keys of its range. A key that does not exist has zeros, but no value to compare. */
export function compareHolds(reader: Reader, compare: Compare, throughLog: boolean): boolean {
  const records = reader.range(rangeOf(compare, throughLog));
  if (records.length === 0) return (compare.target ?? 0) !== VALUE_TARGET && holdsFor(compare, undefined);
  return records.every((record) => holdsFor(compare, record));
}
