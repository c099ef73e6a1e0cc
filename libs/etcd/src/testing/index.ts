export { eventually } from './eventually.ts';
export { startRealEtcd, withoutRealEtcd, type RealEtcd } from './real-etcd.ts';
