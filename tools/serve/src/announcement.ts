import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** What the README shows as well: a test compares the two. */
const TRANSCRIPT = join(import.meta.dirname, '../transcript.sh');
const TRANSCRIPT_PORT = 'localhost:8080';
/** The app whose flow the transcript walks through. */
const TRANSCRIPT_APP = 'webhook-api';

/** What to say when everything works. */
export function readyText(options: { readonly app: string; readonly apps: readonly string[]; readonly port: number | undefined; readonly seconds: number; readonly stateDir: string | undefined }): string {
  const { app, apps, port, seconds, stateDir } = options;
  const set = stateDir === undefined ? '' : `TALARIA_STATE_DIR=${stateDir} `;
  const lines = [port === undefined ? `${app} is ready after ${seconds.toFixed(1)} s.` : `${app} is ready at http://localhost:${port} after ${seconds.toFixed(1)} s.`, ''];
  if (port !== undefined && apps.includes(TRANSCRIPT_APP)) {
    lines.push('Paste this into another terminal, in this folder (it needs curl and jq):', '');
    lines.push(readFileSync(TRANSCRIPT, 'utf8').replaceAll(TRANSCRIPT_PORT, `localhost:${port}`));
  } else {
    lines.push('From another terminal, in this folder:', '');
    lines.push(`${set}npx talaria services`, `${set}npx talaria call --help`, '');
  }
  lines.push('Ctrl-C stops everything.');
  return lines.join('\n');
}
