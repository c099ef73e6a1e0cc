import { ConfigStoreError } from '@talaria/config/store';
import { CliError } from '../cli-error.ts';

/** What `check` returns; what it refuses is the user's to mend. */
export function checked<T>(check: () => T): T {
  try {
    return check();
  } catch (error) {
    if (error instanceof ConfigStoreError) throw new CliError(error.message, 2);
    throw error;
  }
}
