import { BinaryReader } from '@bufbuild/protobuf/wire';
import { Duration } from '@talaria/contracts/google/protobuf/duration';

/** `talaria.options.v1.deadline`, as ts-proto keeps an extension of `google.protobuf.MethodOptions`: number 52002, length-delimited. */
const DEADLINE_TAG = (52002 << 3) | 2;

interface KnownOptions {
  readonly deadlineMs?: number;
  readonly _unknownFields?: Readonly<Record<number, readonly Uint8Array[] | undefined>>;
}

/**
 * The longest a call may take by the options of its method, in ms: what `talaria.options.v1.deadline` says, or `deadlineMs`
 * in definitions that are made at run time. Undefined where neither is there, and for one that is not positive.
 */
export function methodDeadline(options: object | undefined): number | undefined {
  const { deadlineMs, _unknownFields: unknown } = (options ?? {}) as KnownOptions;
  // The last one counts, as the wire format has it.
  const bytes = unknown?.[DEADLINE_TAG]?.at(-1);
  const found = deadlineMs ?? (bytes && durationMs(Duration.decode(new BinaryReader(bytes).bytes())));
  return found !== undefined && found > 0 ? found : undefined;
}

/** A `google.protobuf.Duration` in ms. */
export function durationMs({ seconds, nanos }: { readonly seconds: bigint; readonly nanos: number }): number {
  return Number(seconds) * 1000 + nanos / 1e6;
}
