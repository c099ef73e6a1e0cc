export { generate, type GenerateOptions } from './generate.ts';
export { GenerateError } from './generate-error.ts';
export { readWorkspace, type GenerateWorkspace } from './workspace.ts';
