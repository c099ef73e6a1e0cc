// `npx nx run bench:refusal`: what it costs a server to refuse a call, beside serving one that does nothing.
import { refusalBench } from './refusal-bench.ts';

await refusalBench();
