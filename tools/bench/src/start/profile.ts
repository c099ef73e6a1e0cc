import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { SourceMap } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { packageOf } from '@talaria/bundle';

import { startProgram } from './program.ts';

interface CallFrame {
  readonly functionName: string;
  readonly url: string;
  readonly lineNumber: number;
  readonly columnNumber: number;
}

interface CpuProfile {
  readonly nodes: readonly {
    readonly id: number;
    readonly callFrame: CallFrame;
    readonly children?: readonly number[];
    /** Where in the function it was, by line (counted from 1). */
    readonly positionTicks?: readonly { readonly line: number; readonly ticks: number }[];
  }[];
  /** In microseconds, as are the deltas. */
  readonly startTime: number;
  readonly samples: readonly number[];
  readonly timeDeltas: readonly number[];
}

interface HeapNode {
  readonly callFrame: CallFrame;
  /** Bytes that are still in use. */
  readonly selfSize: number;
  readonly children: readonly HeapNode[];
}

/** What neither the app nor a package did. */
const NODE = '(node itself)';
/** What the bundler wrote, or cannot be told apart. */
const BUNDLE = '(the bundle itself)';

/** Where to look for what a line belongs to: lines of a bundle are at least this long, nearly all of them. */
const LINE_MIDDLE = 60;

/** Functions of V8 and Node that stand for something of their own. */
const SPECIAL = new Map([
  ['(idle)', '(waiting)'],
  ['(garbage collector)', '(garbage collection)'],
  // What loads http2, tls and the like, whoever asks for it first.
  ['requireBuiltin', "(node's own modules)"],
  ['compileForPublicLoader', "(node's own modules)"],
]);

/** Says by source map which package a frame belongs to; undefined for Node's own. */
function frameReader(): (frame: CallFrame) => string | undefined {
  const maps = new Map<string, SourceMap | undefined>();
  const mapOf = (url: string): SourceMap | undefined => {
    if (!maps.has(url)) {
      try {
        maps.set(url, new SourceMap(JSON.parse(readFileSync(`${fileURLToPath(url)}.map`, 'utf8'))));
      } catch {
        maps.set(url, undefined);
      }
    }
    return maps.get(url);
  };
  return ({ url, lineNumber, columnNumber }) => {
    if (!url.startsWith('file:')) return undefined;
    const entry = mapOf(url)?.findEntry(lineNumber, columnNumber);
    return entry && 'originalSource' in entry && entry.originalSource ? packageOf(entry.originalSource) : BUNDLE;
  };
}

const add = (sums: Map<string, number>, name: string, value: number): void => void sums.set(name, (sums.get(name) ?? 0) + value);

/** Milliseconds by package, up to `untilMs`: what Node does for a package counts as the package's. */
function cpuByPackage({ nodes, samples, timeDeltas }: CpuProfile, untilMs: number): Map<string, number> {
  const read = frameReader();
  const byId = new Map(nodes.map((node) => [node.id, node]));
  const owners = new Map<number, ReadonlyMap<string, number>>();
  const visit = (id: number, inherited: string): void => {
    const node = byId.get(id);
    if (!node) return;
    const { callFrame, children = [], positionTicks = [] } = node;
    const own = SPECIAL.get(callFrame.functionName) ?? read(callFrame) ?? inherited;
    const shares = new Map<string, number>();
    const all = positionTicks.reduce((sum, { ticks }) => sum + ticks, 0);
    // The top levels of all modules are one function of the bundle: its lines tell them apart.
    if (own === BUNDLE && all > 0) for (const { line, ticks } of positionTicks) add(shares, read({ ...callFrame, lineNumber: line - 1, columnNumber: LINE_MIDDLE }) ?? own, ticks / all);
    else shares.set(own, 1);
    owners.set(id, shares);
    for (const child of children) visit(child, own);
  };
  if (nodes[0]) visit(nodes[0].id, NODE);
  const sums = new Map<string, number>();
  let at = 0;
  for (const [index, id] of samples.entries()) {
    at += timeDeltas[index] ?? 0;
    if (at > untilMs * 1000) break;
    for (const [name, share] of owners.get(id) ?? [[NODE, 1]]) add(sums, name, (share * (timeDeltas[index + 1] ?? 0)) / 1000);
  }
  return sums;
}

/** Kilobytes of live JavaScript objects by package. */
function heapByPackage(head: HeapNode): Map<string, number> {
  const read = frameReader();
  const sums = new Map<string, number>();
  const visit = ({ callFrame, selfSize, children }: HeapNode, inherited: string): void => {
    const own = SPECIAL.get(callFrame.functionName) ?? read(callFrame) ?? inherited;
    add(sums, own, selfSize / 1024);
    for (const child of children) visit(child, own);
  };
  visit(head, NODE);
  return sums;
}

async function profiled<T>(file: string, env: NodeJS.ProcessEnv, flags: (folder: string) => readonly string[], read: (json: unknown, readyMs: number) => T): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), 'talaria-profile-'));
  try {
    const program = await startProgram([...flags(folder), file], env);
    await program.stop();
    const [written] = readdirSync(folder);
    if (written === undefined) throw new Error(`node wrote no profile of ${file}`);
    return read(JSON.parse(readFileSync(join(folder, written), 'utf8')), program.readyMs);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Where the time until ready goes, in ms by package, by one start under the profiler (which makes it slower). */
export function profileCpu(file: string, env: NodeJS.ProcessEnv): Promise<Map<string, number>> {
  return profiled(file, env, (folder) => ['--cpu-prof', '--cpu-prof-interval', '200', '--cpu-prof-dir', folder], (json, readyMs) => cpuByPackage(json as CpuProfile, readyMs));
}

/** Which package's objects are on the heap after a start, in KB, by sampling. */
export function profileHeap(file: string, env: NodeJS.ProcessEnv): Promise<Map<string, number>> {
  return profiled(file, env, (folder) => ['--heap-prof', '--heap-prof-interval', '8192', '--heap-prof-dir', folder], (json) => heapByPackage((json as { head: HeapNode }).head));
}
