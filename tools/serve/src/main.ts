#!/usr/bin/env node
// nx sets FORCE_COLOR for its tasks. Where NO_COLOR is set as well, Node would warn of it in this and in every process below.
if (process.env['NO_COLOR'] || process.env['NODE_DISABLE_COLORS']) delete process.env['FORCE_COLOR'];
// Only now: modules of Node's own look at it while they are loaded.
const { serve } = await import('./serve.ts');
await serve(import.meta.filename, process.argv.slice(2));
