/** An event on its way: the attributes of CloudEvents 1.0 that are used, and its trace context extension. */
export interface Envelope {
  /** Unique; who sees it twice sees the same event twice. */
  readonly id: string;
  /** Such as `transaction.created`. */
  readonly type: string;
  /** When it happened, RFC 3339 in UTC. */
  readonly time: string;
  /** The service that published it. */
  readonly source: string;
  /** What it is about, such as the id of an account. */
  readonly subject: string;
  /** JSON. */
  readonly data: unknown;
  /** W3C trace context of what caused it. */
  readonly traceparent?: string | undefined;
  /** W3C baggage of what caused it. */
  readonly baggage?: string | undefined;
}

/** Lower case words, joined by dots: what happened, in the past tense at the end. */
const TYPE = /^[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)+$/;

/** Throws for a type that is not like `transaction.created`. */
export function checkType(type: string): void {
  if (!TYPE.test(type)) throw new TypeError(`The event type ${JSON.stringify(type)} is not like transaction.created: lower case words, joined by dots.`);
}
