/** A channel that refuses messages for good is an issue of its own: one, however many messages it refused. */
import type { Logger } from '../../shared/log.ts';
import { describeError } from '../../shared/log.ts';
import { refusingChannels } from '../../shared/postgres/delivery-log.ts';
import type { Pool } from '../../shared/postgres/pool.ts';
import type { ReportOwnIssue } from './own-issue.ts';

/** A channel counts as refusing for this long after the last message it refused, in milliseconds. */
const RECENT_MS = 10 * 60_000;

/** Reports channels that refused a message lately; a failure waits for the next sweep. */
export async function watchChannels(pool: Pool, report: ReportOwnIssue, log: Logger): Promise<void> {
  try {
    for (const { channel, count, lastError } of await refusingChannels(pool, RECENT_MS)) {
      await report({
        alertname: 'AlertgestChannelDead',
        reason: channel,
        summary: `${channel} did not take ${count === 1 ? 'a message' : `${count} messages`}`,
        description: `Last answer: ${(lastError ?? 'none').slice(0, 300)}. What it refused is on the deliveries page, and can be sent again there.`,
      });
    }
  } catch (error) {
    log.error(describeError(error), 'channels were not looked at; the next sweep tries again');
  }
}
