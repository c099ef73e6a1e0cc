/** A service that is put together wrongly. The message is one sentence that names the fix. */
export class WiringError extends Error {
  override readonly name = 'WiringError';
}
