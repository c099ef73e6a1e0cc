import type { Leadership } from '@talaria/base';
import { contextKey } from './context-key.ts';

/** The leaderships that the running code writes under. */
export const fences = contextKey<readonly Leadership[]>('fences');
