import { context as otel, propagation } from '@opentelemetry/api';
import { baggageSize, encodeBaggageValue, isBaggageName, MAX_BAGGAGE_BYTES, MAX_BAGGAGE_ENTRIES } from './baggage-format.ts';
import { type ContextKey } from './context-key.ts';

/** How values of a {@link baggageKey} are written and read. */
export interface BaggageKeyOptions<T> {
  /** Reads a value that came from elsewhere. Throws for one that is not fit: then there is none. Default: the text as it is. */
  readonly parse?: (text: string) => T;
  /** Writes a value. Default: `String`. */
  readonly format?: (value: T) => string;
  /** Most bytes that one value may have, percent-encoded as it travels. Larger ones from elsewhere are taken for none. Default 256. */
  readonly maxBytes?: number;
}

const MAX_VALUE_BYTES = 256;

/**
 * A key for values that travel, as W3C Baggage: with every nested call and published event, over every hop, to every service
 * below. So they are few, small, and no secrets; all baggage together has at most 64 entries and 8,192 bytes. A gateway lets in
 * only names that it was told to. Throws for a name that HTTP could not carry.
 *
 * `run` throws a `RangeError` for a value that is too large, and when there would be too much baggage in all. `get` answers
 * undefined for a value that `parse` refuses or that is too large: what others send never fails a call.
 */
export function baggageKey(name: string, options?: BaggageKeyOptions<string>): ContextKey<string>;
export function baggageKey<T>(name: string, options: BaggageKeyOptions<T> & Required<Pick<BaggageKeyOptions<T>, 'parse'>>): ContextKey<T>;
export function baggageKey<T>(name: string, { parse = (text) => text as T, format = String, maxBytes = MAX_VALUE_BYTES }: BaggageKeyOptions<T> = {}): ContextKey<T> {
  if (!isBaggageName(name)) throw new TypeError(`The baggage key ${JSON.stringify(name)} cannot stand in a header: use letters, digits, dots and dashes.`);

  /** `text` if it is not too large. Nothing grows by less than one byte a character when it is encoded. */
  const fits = (text: string): boolean => text.length <= maxBytes && encodeBaggageValue(text).length <= maxBytes;

  const set = (value: T): ReturnType<typeof propagation.createBaggage> => {
    const text = format(value);
    if (!fits(text)) throw new RangeError(`The value of the baggage key ${name} has ${encodeBaggageValue(text).length} bytes and may have ${maxBytes}: carry an id instead, or raise its maxBytes.`);
    const next = (propagation.getActiveBaggage() ?? propagation.createBaggage()).setEntry(name, { value: text });
    const { entries, bytes } = baggageSize(next);
    if (entries > MAX_BAGGAGE_ENTRIES) throw new RangeError(`With ${name} there would be ${entries} entries of baggage, and ${MAX_BAGGAGE_ENTRIES} may travel: carry fewer keys.`);
    if (bytes > MAX_BAGGAGE_BYTES) throw new RangeError(`With ${name} there would be ${bytes} bytes of baggage, and ${MAX_BAGGAGE_BYTES} may travel: carry less.`);
    return next;
  };

  return {
    name,
    get() {
      const entry = propagation.getActiveBaggage()?.getEntry(name);
      if (entry === undefined || !fits(entry.value)) return undefined;
      try {
        return parse(entry.value);
      } catch {
        return undefined;
      }
    },
    run(value, fn) {
      const active = otel.active();
      const baggage = value === undefined ? propagation.getBaggage(active)?.removeEntry(name) : set(value);
      return otel.with(baggage ? propagation.setBaggage(active, baggage) : active, fn);
    },
  };
}
