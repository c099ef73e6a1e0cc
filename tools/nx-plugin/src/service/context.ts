import type { Names } from '../naming/names.ts';

/** What the templates of a service are filled with. */
export interface ServiceContext {
  readonly names: Names;
  /** The package of the contracts: `@talaria/contracts`. */
  readonly contracts: string;
  /** The file of the contract, without its ending: `invoice/v1/invoice`. */
  readonly contract: string;
  /** `invoice-service`. */
  readonly project: string;
  /** `service.invoice`. */
  readonly service: string;
  /** Whether customers reach it through the gateway. */
  readonly public: boolean;
}
