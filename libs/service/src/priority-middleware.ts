export { priorityMiddleware } from '@talaria/rpc';
