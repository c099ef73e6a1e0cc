export { pack, type PackedPackage, type PackOptions } from './pack.ts';
export { PackError } from './pack-error.ts';
export { startTestRegistry, type TestRegistry } from './test-registry.ts';
