/** Tells an outside watcher that alerts flow: pinged only while every seen Watchdog is still seen. */
import { DependencyError } from '../../shared/errors.ts';
import { request } from '../../shared/http.ts';
import { oldestHeartbeat } from '../../shared/postgres/patterns.ts';
import type { Pool } from '../../shared/postgres/pool.ts';

/** Creates the ping; a Watchdog unseen for twice the repeat interval stops it, and so the outside alarm goes off. */
export function createHeartbeat(url: string, pool: Pool, repeatIntervalMs: number): () => Promise<void> {
  return async () => {
    const ageMs = await oldestHeartbeat(pool);
    if (ageMs !== null && ageMs > 2 * repeatIntervalMs) {
      throw new DependencyError('a Watchdog that was seen before is not seen any more');
    }
    const { status } = await request({ method: 'GET', url });
    if (status >= 400) throw new DependencyError(`the heartbeat URL answered ${status}`);
  };
}
