// `npx nx run bench:pick`: what one pick costs.
import { pickBench } from './pick-bench.ts';

await pickBench();
