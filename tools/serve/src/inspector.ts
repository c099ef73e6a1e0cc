import { setTimeout as delay } from 'node:timers/promises';
import type { InspectOption } from './arguments.ts';
import type { Output } from './output.ts';
import { freePort, portTrouble } from './ports.ts';
import { ServeError } from './serve-error.ts';

/** The inspector of one app, on the same port each time that the app starts. */
export interface Inspector {
  /** For Node, before the program. */
  readonly args: readonly string[];
  readonly port: number;
}

const POLL_MS = 100;

/** Finds the port. Throws a `ServeError` if somebody else has it. */
export async function planInspector({ brk, port: wanted }: InspectOption): Promise<Inspector> {
  if (wanted !== 0 && (await portTrouble(wanted)) !== undefined) {
    throw new ServeError(`Port ${wanted} cannot be had for the inspector, as another program has it or your user may not: choose another one, such as --inspect=${wanted === 9230 ? 9231 : 9230}, or --inspect=0.`);
  }
  const port = wanted === 0 ? await freePort() : wanted;
  // Node would say where it is at every start: we do so once.
  return { port, args: [`--inspect${brk ? '-brk' : ''}=127.0.0.1:${port}`, '--inspect-publish-uid=http'] };
}

/** Says where the debugger listens, once, as soon as it does. */
export async function announceInspector({ port }: Inspector, app: string, output: Output, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    try {
      const response = await fetch(`http://127.0.0.1:${port}/json/list`, { signal: AbortSignal.any([signal, AbortSignal.timeout(2000)]) });
      const [target] = (await response.json()) as { webSocketDebuggerUrl?: string }[];
      if (target?.webSocketDebuggerUrl !== undefined) {
        return output.say(`Debugger of ${app} listening on ${target.webSocketDebuggerUrl}: attach an editor to port ${port}, or open chrome://inspect. The port stays when ${app} restarts.`);
      }
    } catch {
      // Not yet.
    }
    await delay(POLL_MS, undefined, { signal }).catch(() => {});
  }
}
