import { reallocate } from './allocation.ts';
import { DocumentError, FlagStoreError } from './document-error.ts';
import { checkExperiment, type Experiment, type ExperimentDocument } from './experiment.ts';

/** An experiment as people write it: with the share (0 to 1) of each variant, instead of ranges of buckets. */
export interface ExperimentInput extends Omit<ExperimentDocument, 'allocation'> {
  readonly shares?: Readonly<Record<string, number>> | undefined;
  readonly allocation?: ExperimentDocument['allocation'] | undefined;
}

/** What spreads subjects over buckets: with another one, everybody would move. */
const FIXED = ['key', 'salt', 'group'] as const;

/**
 * The document of an experiment. `current`: the document that is there, of which everybody keeps what the shares leave them.
 * Throws a `FlagStoreError` for one that cannot be had.
 */
export function newExperiment(name: string, { shares, ...input }: ExperimentInput, current: string | undefined, others: readonly Experiment[]): ExperimentDocument {
  const refused = (reason: string): FlagStoreError => new FlagStoreError(`The experiment ${name} is refused: ${reason}.`);
  if ((shares === undefined) === (input.allocation === undefined)) throw refused('it needs the shares of its variants, such as "shares": {"control": 0.5, "treatment": 0.5} (or an allocation, but not both)');
  const mates = input.group === undefined ? [] : others.filter(({ group }) => group === input.group);
  try {
    const before = current === undefined ? undefined : checkExperiment(name, parse(current));
    const moved = before && FIXED.find((field) => before[field] !== input[field]);
    if (before && moved) throw new DocumentError(`its ${moved} was ${before[moved] ?? 'not set'}, and with another one everybody would move; remove the experiment first, or take another flag`);
    const other = mates.find(({ key }) => key !== input.key);
    if (other) throw new DocumentError(`its group goes by ${other.key} (${other.name})`);
    const allocation = input.allocation ?? reallocate(before?.allocation ?? {}, shares ?? {}, mates.flatMap(({ ranges }) => ranges));
    const document = checkExperiment(name, { ...input, allocation });
    const clash = mates.find(({ ranges }) => reaches(document, ranges));
    if (clash) throw new DocumentError(`it has buckets in common with ${clash.name} of its group`);
    return document;
  } catch (error) {
    if (error instanceof DocumentError || error instanceof RangeError) throw refused(error.message.replace(/\.$/, ''));
    throw error;
  }
}

function reaches({ allocation }: ExperimentDocument, ranges: Experiment['ranges']): boolean {
  return Object.values(allocation).some((own) => own.some(([from, to]) => ranges.some(([start, end]) => from < end && start < to)));
}

/** What is there may be broken: then it is written anew. */
function parse(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    throw new DocumentError('what is stored is broken; remove the experiment first');
  }
}
