// `npx nx run degradation:run`: what callers notice when instances are slow, broken, frozen or gone.
import { degradation } from './degradation.ts';

process.exitCode = await degradation(process.argv.slice(2));
