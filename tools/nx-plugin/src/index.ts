export { apiGenerator, type ApiGeneratorOptions } from './api/generator.ts';
export { checkerGenerator, type CheckerGeneratorOptions } from './checker/generator.ts';
export { eventGenerator, type EventGeneratorOptions } from './event/generator.ts';
export { GeneratorError } from './generator-error.ts';
export { methodGenerator, type MethodGeneratorOptions } from './method/generator.ts';
export { serviceGenerator, type ServiceGeneratorOptions } from './service/generator.ts';
