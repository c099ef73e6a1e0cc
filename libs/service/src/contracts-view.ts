import { mutableSetting } from '@talaria/base';
import type { ContractsWatch, Registry } from '@talaria/discovery';
import type { PublishedContract, PublishedContracts } from './types.ts';

/** A live view of what is published; the registry is watched from the first use on. */
export function contractsView(registry: () => Registry): PublishedContracts & { close(): void } {
  const current = mutableSetting<readonly PublishedContract[]>([]);
  let watch: ContractsWatch | undefined;
  const begin = (): ContractsWatch => (watch ??= registry().watchContracts((contracts) => current.set([...contracts.values()])));
  return {
    get() {
      begin();
      return current.get();
    },
    onChange(listener) {
      begin();
      return current.onChange(listener);
    },
    get ready() {
      return begin().ready;
    },
    close: () => watch?.close(),
  };
}
