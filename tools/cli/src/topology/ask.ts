import { TopologyServiceDefinition, type GetTopologyResponse } from '@talaria/contracts/talaria/topology/v1/topology';
import type { DirectClients } from '@talaria/service';
import type { RunningInstance } from './instances.ts';

/** What one instance says of itself. */
export interface Answer {
  readonly from: RunningInstance;
  readonly topology: GetTopologyResponse;
}

/** What all that were asked said. */
export interface Answers {
  readonly answers: readonly Answer[];
  /** Those that did not answer, and why. */
  readonly silent: readonly { readonly from: RunningInstance; readonly why: string }[];
}

/** How long an instance may take to answer, in ms: whoever looks does so because something hangs. */
const ANSWER_MS = 2_000;

/** Asks instances, all at once and each at its own address, for the topology that they see: of one contract, or of all (`''`). Rejects only with the signal's reason. */
export async function askAll(direct: DirectClients, instances: readonly RunningInstance[], contract: string, signal: AbortSignal): Promise<Answers> {
  direct.reach(instances);
  const client = direct.client(TopologyServiceDefinition);
  const answers: Answer[] = [];
  const silent: Answers['silent'][number][] = [];
  await Promise.all(
    instances.map(async (from) => {
      try {
        answers.push({ from, topology: await client.getTopology({ contract }, { instance: from.instance, timeoutMs: ANSWER_MS, signal }) });
      } catch (error) {
        signal.throwIfAborted();
        silent.push({ from, why: error instanceof Error ? error.message : String(error) });
      }
    }),
  );
  const inOrder = <T extends { readonly from: RunningInstance }>(all: readonly T[]): readonly T[] => all.toSorted((a, b) => instances.indexOf(a.from) - instances.indexOf(b.from));
  return { answers: inOrder(answers), silent: inOrder(silent) };
}
