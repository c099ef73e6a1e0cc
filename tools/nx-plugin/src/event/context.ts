import type { Forms } from '../naming/names.ts';

/** What the templates of an event are filled with. */
export interface EventContext {
  /** `invoice.created`. */
  readonly type: string;
  /** `invoice-created`, `invoiceCreated`, and so on. */
  readonly forms: Forms;
  /** The message that it carries: its name and its module. */
  readonly message: string;
  readonly module: string;
  /** Who publishes it: `service.invoice`. */
  readonly source: string;
}
