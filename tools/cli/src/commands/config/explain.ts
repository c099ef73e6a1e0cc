import { parseTarget, targetText, type ExplainedInstance, type ExplainedLayer, type ExplainedSetting, type Explanation, type StoredValue } from '@talaria/config/store';
import { checked } from '../../config/checked.ts';
import { withStore, type ConfigEnvironment } from '../../config/open-store.ts';
import { cell, jsonText, longWords, measured, timeWords } from '../../config/words.ts';
import { printable, table, type Style } from '../../terminal.ts';

/** What the user may say. */
export interface ExplainOptions {
  readonly json?: boolean;
}

/** `talaria config explain <target> [name]`: where values come from, and what each instance goes by. */
export async function configExplain(target: string, name: string | undefined, { json }: ExplainOptions, environment: ConfigEnvironment): Promise<void> {
  const wanted = checked(() => parseTarget(target));
  const { out, err, style, errStyle } = environment.terminal;
  const explanation = await withStore(environment, {}, ({ store, ask }) => ask(store.explain(wanted, name)));
  if (json) return out(jsonText(explanation, 2));
  const [only] = explanation.settings;
  out(name !== undefined && only ? oneText(explanation, only, style) : allText(explanation, style));
  err(errStyle.dim(`revision ${explanation.revision}\n`));
}

const STATES: Readonly<Record<ExplainedInstance['state'], string>> = { applied: 'applied', behind: 'not yet', refused: 'refused', restart: 'at its next start' };

function stateText({ state, pending }: ExplainedInstance, style: Style): string {
  if (state === 'applied') return style.good(STATES.applied);
  if (state === 'restart') return `${cell(pending)} ${STATES.restart}`;
  return style.bad(STATES[state]);
}

/** Why instances keep their last good values: what each of them says, once. */
function problemLines(settings: readonly ExplainedSetting[], style: Style): string {
  const problems = new Set(settings.flatMap(({ instances }) => instances.flatMap(({ problem }) => problem ?? [])));
  return problems.size === 0 ? '' : `\n${[...problems].map((each) => `${style.bad('refused')}: ${printable(each)}\n`).join('')}`;
}

/** The layer that won, as people name it. */
function sourceText({ source, service, version, instance, temporary }: ExplainedInstance): string {
  const names: Readonly<Record<string, string>> = { service, version: `${service}@${version}`, instance };
  return printable(`${names[source ?? ''] ?? source ?? ''}${temporary ? ', temporary' : ''}`);
}

function allText({ target, settings }: Explanation, style: Style): string {
  if (settings.length === 0) return `${targetText(target)} has no settings.\n`;
  const rows = settings.flatMap((setting) => {
    const { name, unit, instances, default: byDefault } = setting;
    if (instances.length === 0) return [[printable(name), measured(storedValueOf(setting) ?? byDefault, unit), storedSourceOf(setting), style.dim('no instance runs')]];
    // Instances that agree share a line.
    const groups = Map.groupBy(instances, (each) => JSON.stringify([each.value, sourceText({ ...each, instance: 'its instance' }), each.state, each.problem]));
    return [...groups.values()].map((same) => {
      const [first] = same as [ExplainedInstance];
      const who = groups.size === 1 ? '' : `  ${same.map(({ instance }) => instance).join(', ')}`;
      return [printable(name), measured(first.value, unit, '(unset)'), sourceText(first), `${stateText(first, style)}${printable(who)}`];
    });
  });
  return table([['NAME', 'VALUE', 'FROM', 'STATE'], ...rows], style) + problemLines(settings, style);
}

/** What those that start would take from etcd. */
const strongest = ({ layers }: ExplainedSetting): ExplainedLayer | undefined => layers.at(-1);
const storedValueOf = (setting: ExplainedSetting): StoredValue['value'] => (strongest(setting)?.temporary ?? strongest(setting)?.permanent)?.value;
const storedSourceOf = (setting: ExplainedSetting): string => {
  const layer = strongest(setting);
  return layer ? printable(targetText(layer.target)) : 'default';
};

function oneText({ target }: Explanation, setting: ExplainedSetting, style: Style): string {
  const { name, description, unit, takes, live, instances, elsewhere, known } = setting;
  const parts = [
    `${style.strong(printable(`${name} of ${targetText(target)}`))}: ${printable(description)}${unit === undefined ? '' : `, in ${printable(unit)}`}\n`,
    style.dim(printable(`takes ${takes}${live ? '' : '; a change takes effect at the next start'}${setting.secret ? '; a secret' : ''}${known.length < 2 ? '' : known.length > 3 ? `; known to ${known.length} services and versions` : `; of ${known.join(', ')}`}`)),
    '\n\n',
    table([['LAYER', 'VALUE', 'WINS', 'WRITTEN'], ...layerRows(setting)], style),
    '\n',
    instances.length === 0 ? 'No instance runs that reads it.\n' : table([['INSTANCE', 'VERSION', 'VALUE', 'FROM', 'STATE'], ...instances.map((each) => instanceRow(each, unit, style))], style),
    problemLines([setting], style),
  ];
  if (elsewhere.length > 0) parts.push('\n', table([['STORED WHERE NOTHING RUNS', 'VALUE', 'WRITTEN'], ...elsewhere.flatMap((layer) => storedRows(layer).map(([where, value, written]) => [where, value, written]))], style));
  return parts.join('');
}

function instanceRow(each: ExplainedInstance, unit: string | undefined, style: Style): readonly string[] {
  return [printable(each.instance), printable(`${each.service}@${each.version}`), measured(each.value, unit, '(unset)'), sourceText(each), stateText(each, style)];
}

/** Every layer that says something, the weakest first. */
function layerRows(setting: ExplainedSetting): readonly (readonly string[])[] {
  const { instances, layers, env, unit, default: byDefault } = setting;
  const wins = (won: readonly ExplainedInstance[]): string => (won.length === 0 ? '' : won.length === instances.length ? 'yes' : `at ${won.length} of ${instances.length}`);
  const lower = (['default', 'file', 'environment'] as const).flatMap((layer) => {
    const label = layer === 'environment' ? `environment (${env})` : layer;
    const saying = instances.filter((each) => each.layers[layer] !== undefined);
    if (saying.length === 0) return layer === 'default' && byDefault !== undefined ? [[label, measured(byDefault, unit), '', '']] : [];
    const groups = Map.groupBy(saying, (each) => JSON.stringify(each.layers[layer]));
    return [...groups.values()].map((same) => {
      const of = same.length === instances.length ? '' : ` of ${same.map(({ instance }) => instance).join(', ')}`;
      return [printable(`${label}${of}`), measured(same[0]?.layers[layer], unit), wins(same.filter(({ source }) => source === layer)), ''];
    });
  });
  const stored = layers.flatMap((layer) => {
    const at = instances.filter((each) => each.source === layer.target.kind && (layer.target.kind === 'global' || concerns(layer, each)));
    return storedRows(layer).map(([where, value, written, temporary]) => [where, value, wins(at.filter((each) => (each.temporary ?? false) === temporary)), written]);
  });
  return [...lower, ...stored];
}

function concerns({ target }: ExplainedLayer, { service, version, instance }: ExplainedInstance): boolean {
  if (target.kind === 'instance') return target.instance === instance;
  return target.kind === 'global' || (target.service === service && (target.kind === 'service' || target.version === version));
}

/** One row for what holds for good, one for what holds for a while. */
function storedRows({ target, permanent, temporary, change, temporaryChange }: ExplainedLayer): readonly (readonly [where: string, value: string, written: string, temporary: boolean])[] {
  const where = printable(targetText(target));
  const by = (each: typeof change): string => (each ? printable(`${timeWords(each.at)} by ${each.who}${each.why === undefined ? '' : `: ${each.why}`}  (${each.id})`) : 'past the history');
  return [
    ...(permanent ? [[where, cell(permanent.value, '(no JSON)'), by(change), false] as const] : []),
    ...(temporary ? [[`${where}, for another ${longWords(temporary.secondsLeft ?? 0)}`, cell(temporary.value, '(no JSON)'), by(temporaryChange), true] as const] : []),
  ];
}
