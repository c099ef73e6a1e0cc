export { eventually } from './eventually.ts';
export { engines, type Engine, type EtcdProcess } from './etcd-process.ts';
