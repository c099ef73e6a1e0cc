export { startEtcd, type EtcdOptions, type EtcdServer } from './start.ts';
