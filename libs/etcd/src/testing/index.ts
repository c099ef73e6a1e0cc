export { secureEtcd, type TestUser } from './users.ts';
export { eventually } from './eventually.ts';
export { engines, type Engine, type EtcdProcess } from './etcd-process.ts';
export { startCluster, type EtcdCluster } from './etcd-cluster.ts';
