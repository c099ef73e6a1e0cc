import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { App } from './workspace.ts';

/** What a person may paste to see an app work; beside the app's package.json. */
const TRANSCRIPT = 'transcript.sh';
/** The gateway as transcripts name it. */
const TRANSCRIPT_PORT = 'localhost:8080';

/** What the announcement says. */
export interface Announcement {
  readonly root: string;
  /** What the user asked for. */
  readonly app: App;
  /** The gateway's port, if it is served. */
  readonly port: number | undefined;
  readonly seconds: number;
  /** How often apps run, by name. */
  readonly instances: ReadonlyMap<string, number>;
  /** Only if it is not the default one. */
  readonly stateDir: string | undefined;
}

/** What to say when everything works. */
export function readyText({ root, app, port, seconds, instances, stateDir }: Announcement): string {
  const where = port === undefined ? '' : ` at http://localhost:${port}`;
  const several = [...instances].filter(([, count]) => count > 1).map(([name, count]) => `${name} in ${count} instances`);
  const lines = [`${app.name} is ready${where} after ${seconds.toFixed(1)} s${several.length > 0 ? `: ${several.join(', ')}` : ''}.`, ...(port === undefined ? [] : [`Its HTTP API is described at http://localhost:${port}/docs.`]), ''];
  const transcript = join(root, app.folder, TRANSCRIPT);
  if (port !== undefined && existsSync(transcript)) {
    const text = readFileSync(transcript, 'utf8').replaceAll(TRANSCRIPT_PORT, `localhost:${port}`);
    const needs = ['curl', 'jq'].filter((command) => new RegExp(`\\b${command} `).test(text));
    lines.push(`Paste this into another terminal, in this folder${needs.length > 0 ? ` (it needs ${needs.join(' and ')})` : ''}:`, '', text);
  } else {
    const set = stateDir === undefined ? '' : `TALARIA_STATE_DIR=${stateDir} `;
    lines.push('From another terminal, in this folder:', '');
    lines.push(`${set}npx talaria services`, `${set}npx talaria call --help`, '');
  }
  lines.push('Ctrl-C stops everything.');
  return lines.join('\n');
}
