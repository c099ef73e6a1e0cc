import { withStore, type ConfigEnvironment } from '../../config/open-store.ts';
import { changeText, jsonText } from '../../config/words.ts';
import { applicationText, failWhereRefused, type WriteOptions } from './set.ts';

/** How long a rollback may take to be applied until we stop watching. */
const APPLY_LIMIT_MS = 3000;

/** `talaria config rollback <change>`: takes one change back. */
export async function configRollback(id: string, { why, json }: WriteOptions, environment: ConfigEnvironment): Promise<void> {
  const { terminal } = environment;
  await withStore(environment, { writes: true, why }, async ({ store, ask }) => {
    const { target } = await ask(store.change(id));
    const applying = store.applying(target);
    try {
      const change = await ask(applying.ready.then(() => store.rollback(id, { why })));
      const applications = await ask(applying.applied(change.revision, change.settings.map(({ name }) => name), APPLY_LIMIT_MS));
      if (json) terminal.out(jsonText({ change, instances: applications }, 2));
      else {
        terminal.out(changeText(change, terminal.style));
        terminal.err(applicationText(change, [], applications, terminal));
      }
      failWhereRefused(change, applications);
    } finally {
      applying.close();
    }
  });
}

