#!/usr/bin/env node
// Run by `npm install`, by `npx nx run contracts:generate` and by `serve` when a proto file changes.
import { parseArgs } from 'node:util';
import { GenerateError } from './generate-error.ts';
import { generate, lint } from './generate.ts';
import { readWorkspace } from './workspace.ts';

const HELP = `Usage: talaria-generate [--root DIR] [--lint]

Generates libs/contracts/gen from proto/**/*.proto, with buf and ts-proto, offline: one module a proto file, which exports its
messages and, for each service, a definition with its descriptor. buf.yaml says where imported proto files are.

  --lint       checks the style of the proto files instead, by the rules in buf.yaml
  --root DIR   the workspace (default: the nearest folder upwards with a buf.yaml)
  --help       this text`;

function main(): void {
  const { values } = parseArgs({ options: { root: { type: 'string' }, lint: { type: 'boolean' }, help: { type: 'boolean', short: 'h' } } });
  if (values.help) process.stdout.write(`${HELP}\n`);
  else (values.lint ? lint : generate)(readWorkspace(values.root ?? process.cwd()));
}

try {
  main();
} catch (error) {
  const usage = (error as { code?: string }).code?.startsWith('ERR_PARSE_ARGS');
  if (!usage && !(error instanceof GenerateError)) throw error;
  process.stderr.write(`talaria-generate: ${(error as Error).message}${usage ? ' See talaria-generate --help.' : ''}\n`);
  process.exitCode = usage ? 2 : 1;
}
