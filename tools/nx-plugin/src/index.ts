export { GeneratorError } from './generator-error.ts';
export { serviceGenerator, type ServiceGeneratorOptions } from './service/generator.ts';
