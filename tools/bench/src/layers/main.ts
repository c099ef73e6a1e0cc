// `npx nx run bench:layers`: the CPU that each layer adds to a call.
import { layersBench } from './layers-bench.ts';

await layersBench();
