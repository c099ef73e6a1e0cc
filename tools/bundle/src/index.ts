export { bundle, type BundleSettings } from './bundle.ts';
export { bundleContents, packageOf, type BundleContents, type BytesByPackage } from './contents.ts';
