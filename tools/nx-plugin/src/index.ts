export { apiGenerator, type ApiGeneratorOptions } from './api/generator.ts';
export { GeneratorError } from './generator-error.ts';
export { methodGenerator, type MethodGeneratorOptions } from './method/generator.ts';
export { serviceGenerator, type ServiceGeneratorOptions } from './service/generator.ts';
