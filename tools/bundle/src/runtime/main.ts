// What `node dist/main.js` runs: the program, once stack traces can be read.
import { readableStackTraces } from './stack-traces.ts';

readableStackTraces();
// A name that esbuild leaves alone: the program lies beside this file.
const program = './app.js';
await import(program);
